"""Options that several commands about bundles have, and the bundle that they open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# What links is imported where it is used: `mmoe --help` answers at once.
if TYPE_CHECKING:
    from mmoe.linker import Linker

Bundle = Annotated[
    str, typer.Argument(metavar="BUNDLE", help="A folder, or an id on the Hugging Face hub.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:<n>.")]
Encoder = Annotated[
    str | None, typer.Option(help="Folder or Hugging Face id of the encoder, if it lies elsewhere.")
]
Rerank = Annotated[bool, typer.Option(help="--no-rerank: by the matcher alone.")]
TopK = Annotated[int, typer.Option(min=1, help="Entities of each mention.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as JSON.")]


def opened(
    bundle: Path | str, encoder: str | None, device: str = "cpu", *, rerank: bool = True
) -> Linker:
    """The Linker of a bundle."""
    from mmoe.linker import Linker

    return Linker.from_pretrained(bundle, encoder=encoder, device=device, rerank=rerank)
