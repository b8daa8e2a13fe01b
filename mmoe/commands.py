"""The command line of a package that offers several commands: `python -m PACKAGE COMMAND …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from mmoe.errors import MmoeError


def run_command(
    package: str, about: str | None, summaries: Mapping[str, str], argv: Sequence[str] | None = None
) -> int:
    """Runs one command; an expected failure is one line on stderr and exit code 1.

    Args:
        package: whose `commands` hold one module a command; each offers `add_arguments(parser)` and
            `run(arguments) -> exit code`.
        about: the package, for its help.
        summaries: of the commands, by name.
        argv: null for the command line of the process.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    modules = {name: import_module(f"{package}.commands.{name}") for name in summaries}
    for name, module in modules.items():
        module.add_arguments(
            commands.add_parser(name, help=summaries[name], description=module.__doc__)
        )
    arguments = parser.parse_args(argv)
    try:
        code: int = modules[arguments.command].run(arguments)
    except MmoeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code
