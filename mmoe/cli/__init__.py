"""The command `mmoe`."""

from __future__ import annotations

import typer

from mmoe.cli.wikidata import register
from mmoe.errors import MmoeError

app = typer.Typer(no_args_is_help=True, add_completion=False)
register(app)


def main() -> None:
    """Runs one command; an expected failure is one line on stderr and exit code 1."""
    try:
        app()
    except MmoeError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from None
