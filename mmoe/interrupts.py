"""One line for Ctrl-C in place of a traceback, also while libraries are loaded, which takes seconds."""

from __future__ import annotations

import sys
from types import TracebackType

LINE = "stopped; the same command goes on from what is done"


def say_stopped_in_one_line() -> None:
    """Holds from here on for the whole process."""
    sys.excepthook = _say


def _say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print(LINE, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
