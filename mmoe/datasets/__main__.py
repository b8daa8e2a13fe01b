"""Command line of the data sets: `python -m mmoe.datasets download | check | schema | convert`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from mmoe.errors import MmoeError

# One module a command; each offers `add_arguments(parser)` and `run(arguments) -> exit code`.
COMMANDS = {
    "download": "fetches the public files of a benchmark, pinned and verified",
    "check": "lists everything that is wrong with a raw folder",
    "schema": "prints the JSON Schema of our own format",
    "convert": "turns a CSV, Parquet or Hugging Face table into our own format",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; an expected failure is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m mmoe.datasets", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in COMMANDS.items():
        module = import_module(f"mmoe.datasets.commands.{name}")
        module.add_arguments(commands.add_parser(name, help=summary, description=module.__doc__))
    arguments = parser.parse_args(argv)
    try:
        code: int = import_module(f"mmoe.datasets.commands.{arguments.command}").run(arguments)
    except MmoeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
