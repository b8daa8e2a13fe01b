"""Makes trials in turn, so that each attack has had its share whenever the time is over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tests.campaign.attack import Attack, found
from tests.campaign.book import Book, Entry
from tests.campaign.worker import Worker


def campaign(attacks: Sequence[Attack], book: Book, seed: int, scratch: Path, until: float) -> None:
    """Makes the trials that are not in the book yet.

    Args:
        scratch: for the folders of trials.
        until: time.monotonic() at which it ends; a trial that is under way then is finished.
    """
    with Worker(attacks, seed, scratch / "worker") as worker:
        while time.monotonic() < until:
            left = [attack for attack in attacks if book.done[attack.name] < attack.trials]
            if not left:
                return
            attack = min(left, key=lambda a: (book.done[a.name] + 1) / a.trials)
            book.add(tried(attack, book.done[attack.name], seed, scratch, worker))


def tried(attack: Attack, number: int, seed: int, scratch: Path, worker: Worker) -> Entry:
    """Makes one trial."""
    started = time.monotonic()
    if attack.in_worker:
        if attack.before is not None:
            attack.before()
        finding = worker.found(attack, number)
    else:
        finding = found(attack, number, seed, scratch / "trial")
    return Entry(attack.name, number, round(time.monotonic() - started, 3), finding)
