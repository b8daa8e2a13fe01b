"""Command line of the data sets: `python -m mmoe.datasets download | check | schema | convert`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mmoe.commands import run_command

COMMANDS = {
    "download": "fetches the public files of a benchmark, pinned and verified",
    "check": "lists everything that is wrong with a raw folder",
    "schema": "prints the JSON Schema of our own format",
    "convert": "turns a CSV, Parquet or Hugging Face table into our own format",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    return run_command("mmoe.datasets", __doc__, COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
