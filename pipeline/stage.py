"""How every stage starts and how it ends: parameters checked, one line for a user's mistake."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mmoe.config.load import ParamsFile
from mmoe.errors import MmoeError

from pipeline.layout import Layout


def run_stage(
    stage: Callable[..., None], doc: str | None, flags: Mapping[str, str] | None = None
) -> None:
    """Runs `stage` on the data set named on the command line; exits 1 with one line on an MmoeError.

    Args:
        stage: is given the layout, the parameters, and each flag as a keyword: true if it was set.
        flags: what each one does, by name; DVC sets none.
    """
    parser = _parser(doc)
    for name, meaning in (flags or {}).items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    chosen = vars(parser.parse_args())
    dataset = chosen.pop("dataset")
    exit_on_mistake(lambda: stage(Layout(dataset), checked_params(), **chosen))


def run_part_stage(stage: Callable[[Layout, ParamsFile, str], None], doc: str | None) -> None:
    """As `run_stage`, for a stage that works on one part of a data set."""
    parser = _parser(doc)
    parser.add_argument(
        "part", help="mention_text, mention_image, entity_text, entity_image or ablation_text"
    )
    args = parser.parse_args()
    exit_on_mistake(lambda: stage(Layout(args.dataset), checked_params(), args.part))


def checked_params(path: Path = Path("params.yaml")) -> ParamsFile:
    """params.yaml, all of it validated: a typing error in a late stage's section stops the first one.

    The check is imported by name: it can only stop a stage, never change what one writes, so stages
    must not be run again when another section gets a new knob.
    """
    params = ParamsFile(path)
    importlib.import_module("mmoe.config.check").check_params(params)
    return params


def _parser(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="a folder of data/raw")
    return parser


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
