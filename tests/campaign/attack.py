"""What an attack is: something that is tried many times, each time as a seed says."""

from __future__ import annotations

import random
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class Finding(Exception):  # noqa: N818 - found in the project, no error of ours
    """Something that must not happen has happened; the text says what."""


@dataclass(frozen=True)
class Trial:
    """One trial: what decides it, and an empty folder to work in."""

    rng: random.Random
    folder: Path


@dataclass(frozen=True)
class Attack:
    """One way to attack one thing.

    Attributes:
        kind: a row of the table.
        target: what is attacked.
        trials: in the whole campaign.
        run: makes one trial; raises a Finding.
        in_worker: whether a trial runs in a process of its own, with bounded time and memory, which then goes
            on to the next one.
        before: is called beforehand, in this process.
    """

    kind: str
    target: str
    trials: int
    run: Callable[[Trial], None]
    in_worker: bool = False
    before: Callable[[], object] | None = None

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.target}"

    def seeded(self, seed: int, number: int) -> random.Random:
        """What decides the trial of that number."""
        return random.Random(f"{seed}/{self.name}/{number}")  # noqa: S311 - not a secret


def found(attack: Attack, number: int, seed: int, folder: Path) -> str | None:
    """What a trial finds, in this process; its folder is empty before and gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        attack.run(Trial(attack.seeded(seed, number), folder))
    except (Finding, TimeoutError) as finding:
        return str(finding)
    except Exception:
        return f"the trial itself broke: {traceback.format_exc(limit=-3)}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None
