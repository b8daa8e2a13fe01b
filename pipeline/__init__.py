"""The stages of dvc.yaml: each reads files, calls one package of mmoe, writes files."""

from __future__ import annotations

import sys
from types import TracebackType

import mmoe as mmoe  # it says how torch's threads wait, and comes before torch


def _say_stopped(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """One line for Ctrl-C, also while libraries are loaded, which takes seconds."""
    if issubclass(kind, KeyboardInterrupt):
        print("stopped; run it again to go on from what is done", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_stopped
