"""The widths in which Commons serves thumbnails; any other is answered with HTTP 429 and never served."""

from __future__ import annotations

from mmoe.errors import WikidataError

WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)  # pixels


def check_width(width: int) -> None:
    """Refuses a width that Commons does not serve.

    Raises:
        WikidataError: with the widths that it serves.
    """
    if width not in WIDTHS:
        raise WikidataError(
            f"--width {width}: Commons serves no thumbnails of that width; choose one of "
            f"{', '.join(map(str, WIDTHS))}"
        )


def width_within(wanted: int, original: int) -> int | None:
    """The largest width that is served, not wanted larger and not above the original's; null for none."""
    return max((width for width in WIDTHS if width <= min(wanted, original)), default=None)
