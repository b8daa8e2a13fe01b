"""Lists everything that is wrong with a raw folder, and what is worth a look.

A problem stops ingest, a warning does not. Of our own format all problems are listed at once, of the others
the first one. The exit code is 1 if there is a problem.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmoe.datasets.findings import Findings, examine
from mmoe.datasets.problems import Notice, Problems
from mmoe.datasets.registry import FORMATS

WARNINGS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, its format, and how many warnings are spelt out."""
    parser.add_argument("folder", type=Path, help="for example data/raw/mine")
    parser.add_argument("--format", choices=["auto", *FORMATS], default="auto")
    parser.add_argument(
        "--warnings",
        type=int,
        default=WARNINGS,
        metavar="N",
        help=f"warnings shown of each kind; all are counted (default {WARNINGS})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints what was found; 1 if there is a problem."""
    return show(
        arguments.folder, examine(arguments.folder, arguments.format), max(0, arguments.warnings)
    )


def show(folder: Path, findings: Findings, warnings: int = WARNINGS) -> int:
    """Prints findings, the summary last.

    Args:
        warnings: how many of each kind are spelt out.
    Returns:
        The exit code: 1 if there is a problem.
    """
    print(f"{folder}: {findings.size}")
    for name, number in findings.counts.items():
        print(f"  {name}: {number:,}")
    for line in findings.problems.lines:
        print(f"problem: {line}")
    for kind in Notice:
        lines = findings.notices.of(kind)
        for line in lines[:warnings]:
            print(f"warning: {line}")
        if warnings and (left := len(lines) - warnings) > 0:
            print(f"warning: … and {left:,} more: {kind}")
    print(_total("problem", findings.problems))
    print(_total("warning", findings.notices))
    return 1 if findings.problems else 0


def _total(what: str, found: Problems) -> str:
    if not found:
        return f"no {what}s"
    return f"{len(found):,} {what}{'' if len(found) == 1 else 's'}: {found.summary()}"
