"""The command `mmoe`, which is `python -m mmoe`."""

from __future__ import annotations

import sys

from mmoe.interrupts import say_stopped_in_one_line


def main() -> int:
    """Runs one command and returns its exit code."""
    say_stopped_in_one_line()
    from mmoe.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
