"""`mmoe params check`: validates params.yaml, as every stage does, and looks for what it names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

group = typer.Typer(
    help="The parameters: look at params.yaml.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(group, name="params")


@group.callback()
def about() -> None:
    """Look at params.yaml."""


@group.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file to look at.")] = Path("params.yaml"),
) -> None:
    """Validate params.yaml: every key, every value, and what must fit together.

    Looks below the current folder for the data sets and encoders that it names.

    Says each thing that is wrong in a line of its own. Exit code: 0 if all is legal, 1 if not.
    """
    from mmoe.config.check import check_params, check_places
    from mmoe.config.load import ParamsFile

    params = ParamsFile(file)
    check_params(params)
    check_places(params)
    print(f"{file}: ok")
