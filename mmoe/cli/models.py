"""`mmoe models`: the matchers' sizes and costs, the papers' figures beside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import typer

MISSING = "—"


class Row(NamedTuple):
    """One matcher in one form.

    Attributes:
        model, own: what its sections say, where that is not the default.
        published: parameters and multiply-accumulates, by MMoE's Table 6 and by the code of the others.
    """

    title: str
    name: str
    model: dict[str, Any]
    own: dict[str, Any]
    published: tuple[str, str] = (MISSING, MISSING)


RELEASED = {"variant": "released"}
BOTH = {"directions": "both_ways"}
ROWS = (
    Row("MMoE", "mmoe", {}, {}),
    Row("MMoE as released", "mmoe_released", {}, {}, ("5.703M", "19.443G")),
    *(
        Row(f"  w/o {title}", "mmoe_released", {"units": units}, {}, paper)
        for title, units, paper in (
            ("IntraMoE-T", ("vision", "cross"), ("683.849K", "3.135G")),
            ("IntraMoE-V", ("text", "cross"), ("5.378M", "18.435G")),
            ("InterMoE", ("text", "vision"), ("5.347M", "17.325G")),
        )
    ),
    Row("  w/o SMoE", "mmoe_released", {}, {"smoe": False}, ("295.905K", "481.333M")),
    Row("M3EL, one way", "m3el", {}, {}),
    Row("M3EL, both ways", "m3el", {}, BOTH),
    Row("M3EL as released, one way", "m3el", {}, RELEASED, ("333,158", MISSING)),
    Row("M3EL as released, both ways", "m3el", {}, RELEASED | BOTH, ("342,470", MISSING)),
    Row("MIMIC", "mimic", {}, {}),
    Row("MIMIC as released", "mimic", {}, RELEASED, ("315,491", MISSING)),
    Row("DSMIP, without its prompts", "dsmip", {}, {}),
    Row("  multimodal expert", "dsmip", {}, {"experts": ("multimodal",)}),
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("models")(models)


def models() -> None:
    """List the matchers and their costs.

    With what the papers say of them, at the papers' sizes (CLIP ViT-B/32, width 96, K 4, k 3). Parameters are
    the trainable ones, without the projections of CLIP's images. Active are those that a token goes through.
    Products are the multiply-accumulates of 32 mentions with 32 entities of 50 tokens and 50 patches: of all
    matrix products that this code makes, and as MMoE's Table 6 counts them. M3EL and MIMIC: the published
    code holds as many parameters, and some more that nothing goes through (18,629, 37,253 and 192).
    """
    import pandas as pd

    table = pd.DataFrame(list(_rows()))
    typer.echo(table.to_string(index=False))


def _rows() -> Iterator[dict[str, str]]:
    from mmoe.config.model import ModelParams
    from mmoe.model.costs import (
        clip_widths,
        num_active,
        num_parameters,
        num_products,
        table6_products,
    )
    from mmoe.model.matcher import MatcherSpec
    from mmoe.model.registry import build_matcher, matcher_class

    width = max(len(row.title) for row in ROWS)
    for title, name, model, own, published in ROWS:
        section = matcher_class(name).SECTION.model_validate(own)
        widths = clip_widths(padded=section.needs_padding)
        params = ModelParams.model_validate({"name": name, **model})
        matcher = build_matcher(MatcherSpec(widths, params, section), seed=0)
        as_table6 = table6_products(matcher) if name == "mmoe_released" else None
        yield {
            "Matcher": title.ljust(width),
            "Parameters": f"{num_parameters(matcher):,}",
            "Published": published[0],
            "Active": f"{num_active(matcher):,}",
            "Products": _large(num_products(matcher)),
            "as Table 6": MISSING if as_table6 is None else _large(as_table6),
            "Table 6": published[1],
        }


def _large(number: int) -> str:
    """Billions or millions with three places, as the paper writes them."""
    return f"{number / 1e9:.3f}G" if number >= 1e9 else f"{number / 1e6:.3f}M"
