"""`mmoe import-checkpoint` and `mmoe convert-encoder`: published weights in this project's form."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

Kind = Literal["mmoe", "m3el", "mimic"]
Directions = Literal["one_way", "both_ways"]  # of M3EL's cross-modal matching


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("import-checkpoint")(import_published)
    app.command("convert-encoder")(convert)


def import_published(
    kind: Annotated[Kind, typer.Argument(help="Whose published code has trained it.")],
    file: Annotated[Path, typer.Argument(help="The Lightning checkpoint.")],
    out: Annotated[Path, typer.Argument(help="Folder to write to: data/models/<dataset>.")],
    encoder: Annotated[
        Path, typer.Option(help="Folder of the CLIP that was tuned (openai/clip-vit-base-patch32).")
    ],
    directions: Annotated[
        Directions, typer.Option(help="M3EL: one_way, or both_ways as on WikiDiverse.")
    ] = "one_way",
    top_k: Annotated[int, typer.Option(help="MMoE: WikiMEL 3, RichpediaMEL 4, WikiDiverse 2.")] = 3,
    max_text_length: Annotated[
        int | None, typer.Option(help="In tokens; as published (MMoE 50, others 40) without it.")
    ] = None,
) -> None:
    """Read a published checkpoint.

    Writes the matcher of MMoE, M3EL or MIMIC, and its CLIP as an encoder folder.

    Only tensors are loaded, nothing that could run code. Prints the parameters with which it computes as
    published. With them in params.yaml, `python -m pipeline.encode DATASET` and `python -m pipeline.evaluate
    DATASET` rank a data set by it (and not `dvc repro`, which would train).
    """
    from ruamel.yaml import YAML

    from mmoe.linker.released_checkpoint import import_checkpoint

    params = import_checkpoint(
        kind,
        file,
        out,
        encoder,
        directions=directions,
        top_k=top_k,
        max_text_length=max_text_length,
    )
    typer.echo(f"{out}: written; params.yaml must say")
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump({**params, "evaluate": {"untrained": False}}, sys.stdout)


def convert(
    folder: Annotated[Path, typer.Argument(help="Folder of an encoder with pytorch_model.bin.")],
) -> None:
    """Turn pickled weights into safetensors.

    Beside the encoder's pickled ones, in the form that encode.model wants.
    """
    from mmoe.encoders.convert import convert_encoder

    typer.echo(f"{convert_encoder(folder)}: written")
