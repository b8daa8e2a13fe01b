"""Shows how many answers of the Wikidata API are kept, how large and how old they are; clears them."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.wikidata.api.cache import FILE, AnswerCache, KindOfAnswers
from mmoe.wikidata.api.settings import default_cache_folder

FOREVER = 1e9  # days


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clear", action="store_true", help="forget the answers")
    parser.add_argument(
        "--older-than",
        type=float,
        default=0.0,
        metavar="DAYS",
        help="show or forget only answers that are at least so old",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="where the answers are (default: MMOE_CACHE, or else your cache folder)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints what is kept, or what was forgotten.

    Raises:
        WikidataError: if the number of days is negative, or the file can't be read.
    """
    if arguments.older_than < 0:
        raise WikidataError(f"--older-than: must not be negative, found {arguments.older_than:g}")
    file = (arguments.folder or default_cache_folder()) / FILE
    if not file.is_file():
        print(f"{file}: nothing is kept")
        return 0
    with AnswerCache(file.parent, FOREVER) as cache:
        kinds = cache.kinds(arguments.older_than)
        if arguments.clear:
            removed = cache.remove(arguments.older_than)
            print(f"{file}: {removed:,} answers forgotten, {_size(file)} left")
            return 0
    print(f"{file}: {_size(file)}")
    for kind in kinds:
        print(_line(kind))
    if not kinds:
        print("no answers")
    return 0


def _line(kind: KindOfAnswers) -> str:
    return (
        f"{kind.kind:8}{kind.answers:>10,} answers  {kind.num_bytes / 1e6:>10,.1f} MB  "
        f"{kind.newest:.1f} to {kind.oldest:.1f} days old"
    )


def _size(file: Path) -> str:
    parts = (file, file.with_name(f"{file.name}-wal"))
    return f"{sum(part.stat().st_size for part in parts if part.is_file()) / 1e6:,.1f} MB"
