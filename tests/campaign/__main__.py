"""The campaign.

usage  python -m tests.campaign [--minutes N] [--folder FOLDER] [--seed N] [--data tiny|sample|richpediamel]
                                [--only TEXT] [--trial N]

Makes all trials, or as many as fit into some minutes, spread over all attacks. What is done stands in the
folder: given again, the command goes on where it was. Exit code: 1 if anything was found, in this run or an
earlier one of that folder and seed.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

from tests.campaign import disk, kills, mutations, network, sameness, serving, twice
from tests.campaign.attack import Attack
from tests.campaign.bench import REAL, Bench
from tests.campaign.book import Book
from tests.campaign.process import load_libraries
from tests.campaign.runner import campaign, tried
from tests.campaign.worker import Worker

KINDS = (kills, disk, twice, sameness, serving, mutations, network)


def all_attacks(bench: Bench) -> list[Attack]:
    return [attack for kind in KINDS for attack in kind.attacks(bench)]


def main(argv: list[str] | None = None) -> int:
    """Runs the campaign and prints its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(".mmoe/campaign"))
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", choices=("tiny", "sample", REAL), default="tiny")
    parser.add_argument("--only", default="", help="attacks whose name contains this")
    parser.add_argument("--trial", type=int, help="this one alone, and say what it finds")
    chosen = parser.parse_args(argv)
    until = time.monotonic() + 60 * chosen.minutes
    load_libraries()
    folder = chosen.folder.resolve()
    bench = Bench(folder, chosen.data)
    attacks = [attack for attack in all_attacks(bench) if chosen.only in attack.name]
    if chosen.trial is not None:
        with Worker(attacks, chosen.seed, folder / "worker") as worker:
            entries = [tried(a, chosen.trial, chosen.seed, folder, worker) for a in attacks]
        for entry in entries:
            print(f"{entry.attack}, trial {entry.number}: {entry.finding or 'nothing'}")
        return int(any(entry.finding for entry in entries))
    book = Book(folder / f"{chosen.data}-{chosen.seed}.jsonl")
    campaign(attacks, book, chosen.seed, folder / "scratch", until)
    print(book.table())
    return int(bool(book.findings()))


if __name__ == "__main__":
    sys.exit(main())
