"""Command line of the Wikidata tools: `python -m mmoe.wikidata index | cache | images | kb`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mmoe.commands import run_command

COMMANDS = {
    "index": "makes the label index of a dump",
    "cache": "shows or clears the answers that the API client keeps",
    "images": "fetches the images of items from Commons",
    "kb": "writes a knowledge base in our own format",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    return run_command("mmoe.wikidata", __doc__, COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
