"""How a stage starts and ends: parameters checked, one process at a time, one line for a mistake."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from mmoe.config.check import check_params
from mmoe.config.load import ParamsFile
from mmoe.errors import MmoeError
from mmoe.files import append_json_line
from mmoe.locks import exclusive_lock, lock_holder

from pipeline.layout import PARTS, Layout


def run_stage(
    stage: Callable[..., None],
    doc: str | None,
    flags: Mapping[str, str] | None = None,
    parts: bool = False,
) -> None:
    """Runs `stage` on the data set named on the command line; exits 1 with one line on an MmoeError.

    Args:
        stage: is given the layout and the parameters; as keywords the parts, if any are named, and each flag:
            true if it was set.
        flags: what each one does, by name; DVC sets none.
        parts: whether the command line may name parts of the data set too.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="a folder of data/raw")
    if parts:
        of = f"some of {', '.join(PARTS)}; all without one"
        parser.add_argument("parts", nargs="*", metavar="part", help=of)
    for name, meaning in (flags or {}).items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    chosen = vars(parser.parse_args())
    at = Layout(chosen.pop("dataset"))
    name = stage.__name__.removesuffix("_stage")
    if not chosen.get("parts", True):
        del chosen["parts"]

    def work() -> None:
        params = checked_params()
        rank = os.environ.get("RANK", "0")  # of the processes that torchrun starts to work together
        lock = f"{name}.lock" if rank == "0" else f"{name}.{rank}.lock"

        def say_busy() -> None:
            holder = lock_holder(at.locks, lock)
            print(f"{name} of {at.dataset}: {holder} does the same; waiting", file=sys.stderr)

        # Two runs would delete each other's files; the second one finds most of its work done.
        with exclusive_lock(at.locks, lock, say_busy):
            started = time.time()
            stage(at, params, **chosen)
            _log_run(at, name, started)

    exit_on_mistake(work)


def _log_run(at: Layout, stage: str, started: float) -> None:
    """Notes what computed: outside the outs, as DVC would take another machine's for another result."""
    about: dict[str, object] = {"stage": stage, "seconds": round(time.time() - started, 2)}
    about["started"] = datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds")
    about["versions"] = {package: version(package) for package in ("mmoe", "numpy")}
    if "torch" in sys.modules:  # others compute without it
        from mmoe.linking.device import about_device

        about |= {"torch": version("torch")} | about_device()
    append_json_line(at.log, about)


def checked_params(path: Path = Path("params.yaml")) -> ParamsFile:
    """params.yaml, all of it validated: a typing error in a late stage's section stops the first one."""
    params = ParamsFile(path)
    check_params(params)
    return params


def exit_on_mistake(work: Callable[[], None]) -> None:
    """Runs `work`; what a user can mend (bad input, a full disk) ends it with one line and exit code 1."""
    try:
        work()
    except MmoeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"error: {error}; finished work is kept, run again when mended", file=sys.stderr)
        sys.exit(1)
