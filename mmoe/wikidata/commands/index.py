"""Makes the label index of a Wikidata JSON dump: which item bears which name.

DUMP is a file (.json, .gz, .bz2 or .zst), a folder of split files, or - for standard input, so that a
parallel program may decompress: lbzip2 -dc latest-all.json.bz2 | python -m mmoe.wikidata index - OUT.
A killed run goes on where it was: give the same command again.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from mmoe.errors import WikidataError
from mmoe.wikidata.index.build import Built, RunOptions, build_index
from mmoe.wikidata.index.request import PAGES, checked_request

MOST_PROCESSES = 8  # a single process reads the dump and can't keep more of them busy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Names the dump, where the index goes, and what is kept."""
    parser.add_argument("dump", metavar="DUMP", help="file, folder of split files, or -")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the index")
    parser.add_argument(
        "--languages",
        type=_listed,
        default="en",
        metavar="en,de",
        help="of labels, aliases and descriptions, best first; mul stands in (default: %(default)s)",
    )
    parser.add_argument(
        "--drop-kinds",
        type=_listed,
        metavar="Q…,…",
        help="drop items that are an instance of one of these (P31, best rank); instead of "
        f"{', '.join(f'{qid} ({name})' for qid, name in PAGES.items())}; '' drops none",
    )
    parser.add_argument(
        "--keep-kinds",
        type=_listed,
        default=[],
        metavar="Q…,…",
        help="keep only items that are an instance of one of these; subclasses must be named too",
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=min(os.cpu_count() or 1, MOST_PROCESSES),
        metavar="N",
        help="that extract; 0.15 GB of memory each (default: %(default)s)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="for unfinished work, up to five times the size of the index (default: OUT)",
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show a progress bar (default: on a terminal)",
    )
    parser.add_argument(
        "--ray",
        action="store_true",
        help="spread the files of a folder with Ray Data, if installed",
    )


def run(arguments: argparse.Namespace) -> int:
    """Makes the index and says what came of every line."""
    if arguments.processes < 1:
        raise WikidataError(f"--processes {arguments.processes}: must be 1 or more")
    request = checked_request(arguments.languages, arguments.drop_kinds, arguments.keep_kinds)
    options = RunOptions(
        processes=arguments.processes,
        work=arguments.work,
        progress=arguments.progress,
        ray=arguments.ray,
    )
    try:
        built = build_index(arguments.dump, arguments.out, request, options)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what is done", file=sys.stderr)
        return 130
    print(f"{arguments.out}: {_summary(built)}")
    if not built.is_closed:
        print(
            f"note: {arguments.dump} begins with [ and does not end with ]; unless it is a slice, "
            "its end is missing",
            file=sys.stderr,
        )
    return 0


def _listed(text: str) -> list[str]:
    return [value.strip() for value in text.split(",") if value.strip()]


def _summary(built: Built) -> str:
    source: dict[str, Any] = built.source
    lines = [f"{source['items']:,} items, {source['names']:,} names"]
    resumed = f", {built.resumed:,} of them by an earlier run" if built.resumed else ""
    lines.append(f"  {source['lines']:,} lines with entities read{resumed}")
    lines.append(f"  {source['kept']:,} kept")
    lines += [f"  {number:,} skipped: {reason}" for reason, number in source["skipped"].items()]
    lines += [f"    {example}" for example in source["broken_lines"]]
    return "\n".join(lines)
