"""The command `mmoe`."""

from __future__ import annotations

import sys

import typer

from mmoe.cli.wikidata import register
from mmoe.errors import MmoeError

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
register(app)


def main() -> None:
    """Runs one command; an expected failure is one line on stderr and exit code 1."""
    try:
        app()
    except (MmoeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
