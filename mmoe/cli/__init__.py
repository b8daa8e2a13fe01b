"""The command `mmoe`: one module a group of commands, each with `register(app)`.

A user's mistake (MmoeError) or the system's refusal (OSError) is one line on stderr, never a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from mmoe.cli import (
    datasets,
    doctor,
    linking,
    models,
    params,
    plan,
    released,
    runs,
    serving,
    wikidata,
)
from mmoe.errors import MmoeError
from mmoe.interrupts import LINE

FAILED, STOPPED = 1, 130

app = typer.Typer(
    name="mmoe",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def about() -> None:
    """Multimodal entity linking: link mentions, get data and check it, look at runs.

    The pipeline itself is run by DVC: `dvc repro`. Every command explains itself: `mmoe check --help`.

    Exit codes: 0 done, 1 a mistake in the data, the parameters or the network (one line says which),
    2 a wrong command line, 130 stopped by Ctrl-C.
    """


for group in (linking, serving, datasets, wikidata, plan, runs, models, released, params, doctor):
    group.register(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
        argv: the words behind `mmoe`; None: those of the process.
    """
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone, as `| head` does; so nobody is told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (MmoeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        app(prog_name="mmoe", args=None if argv is None else list(argv))
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:  # while typer reads the signatures
        code = STOPPED
    else:
        code = 0
    if code == STOPPED:
        print(LINE, file=sys.stderr)
    return code
