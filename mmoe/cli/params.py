"""`mmoe params check`: validates params.yaml, as every stage does, and looks for what it names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(group, name="params")


@group.callback()
def about() -> None:
    """Look at the parameters in params.yaml."""


@group.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file to look at.")] = Path("params.yaml"),
) -> None:
    """Validate params.yaml.

    That is every key, every value, and what must fit together; the data sets and encoders that it names are
    looked for below the current folder. Each thing that is wrong is said in a line of its own. Exit code: 0
    if all is legal, 1 if not.
    """
    from mmoe.config.check import check_params, check_places
    from mmoe.config.load import ParamsFile

    params = ParamsFile(file)
    check_params(params)
    check_places(params)
    print(f"{file}: ok")
