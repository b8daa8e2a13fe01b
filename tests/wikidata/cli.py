"""Runs a command of `mmoe` in this process, as a user would type it."""

from __future__ import annotations

import typer

from mmoe.cli.wikidata import register

APP = typer.Typer()
register(APP)


def run(*arguments: object) -> int:
    """The exit code; what the command prints goes where it always goes, its errors are raised."""
    command = typer.main.get_command(APP)
    code: int | None = command.main(
        [str(argument) for argument in arguments], standalone_mode=False
    )
    return code or 0
