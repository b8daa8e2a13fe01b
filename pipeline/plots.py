"""What the pages of `dvc plots` need without a network: Vega, beside the project."""

from __future__ import annotations

from pathlib import Path

from mmoe.files import write_text

VEGA = Path(".mmoe/vega.js")  # where .dvc/plots/page.html looks for it
VEGA_LITE_VERSION = "5.21"  # DVC's templates are of version 5
EXPORTS = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"


def write_vega() -> None:
    """Writes Vega if it isn't there yet; 900 KB."""
    if VEGA.is_file():
        return
    import vl_convert  # only here: it takes a while to load

    write_text(VEGA, vl_convert.javascript_bundle(EXPORTS, vl_version=VEGA_LITE_VERSION))
