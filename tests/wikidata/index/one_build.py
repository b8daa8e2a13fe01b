"""Builds an index and is killed on the way; run as a process of its own.

usage  python -m tests.wikidata.index.one_build DUMP OUT PROCESSES MOMENT NUMBER

MOMENT: `record` before the NUMBERth record of a chunk is written, `merge` before the NUMBERth table is
sorted, `table` when the first row group of the NUMBERth table has been written, `never`. The kill is a real
SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmoe.wikidata.index import merge, parts

from tests.wikidata.index.dumps import build

# What is called at that moment; the writer of a table asks for the rest of its row groups.
MOMENTS = {
    "record": (parts, "write_json"),
    "merge": (merge, "_write_sorted"),
    "table": (merge, "islice"),
}


def command(dump: str, out: Path, processes: int, moment: str, number: int) -> list[str]:
    """The command line."""
    module = [sys.executable, "-m", "tests.wikidata.index.one_build"]
    return [*module, dump, str(out), str(processes), moment, str(number)]


def deadly(work: Callable[..., Any], number: int) -> Callable[..., Any]:
    """The function, but its NUMBERth call kills the process."""
    calls = iter(range(1, 1_000_000))

    def call(*arguments: Any, **more: Any) -> Any:
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(*arguments, **more)

    return call


if __name__ == "__main__":
    dump, out, processes, moment, number = sys.argv[1:]
    if moment in MOMENTS:
        module, name = MOMENTS[moment]
        setattr(module, name, deadly(getattr(module, name), int(number)))
    build(dump, Path(out), processes=int(processes))
