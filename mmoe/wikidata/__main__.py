"""Command line of the Wikidata tools: `python -m mmoe.wikidata index | cache | pictures | kb`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from mmoe.errors import MmoeError

# One module a command; each offers `add_arguments(parser)` and `run(arguments) -> exit code`.
COMMANDS = {
    "index": "makes the label index of a dump",
    "cache": "shows or clears the answers that the API client keeps",
    "pictures": "fetches the pictures of items from Commons",
    "kb": "writes a knowledge base in our own format",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; an expected failure is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m mmoe.wikidata", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in COMMANDS.items():
        module = import_module(f"mmoe.wikidata.commands.{name}")
        module.add_arguments(commands.add_parser(name, help=summary, description=module.__doc__))
    arguments = parser.parse_args(argv)
    try:
        code: int = import_module(f"mmoe.wikidata.commands.{arguments.command}").run(arguments)
    except MmoeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
