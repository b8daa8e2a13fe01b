"""Equal bytes from equal inputs: in another folder, at another time and place, with other seeds of hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.campaign.attack import Attack, Trial
from tests.campaign.bench import Bench, env_of, must_end_well, must_equal
from tests.campaign.process import Done
from tests.campaign.targets import Target
from tests.imports import ROOT

TRIALS = 3
ZONES = ("UTC", "Pacific/Kiritimati", "America/St_Johns")
LOCALES = ("C", "C.UTF-8", "POSIX")


def attacks(bench: Bench) -> Iterator[Attack]:
    for target in bench.targets:
        yield Attack("determinism", target.name, TRIALS, Elsewhere(bench, target).run)


@dataclass(frozen=True)
class Elsewhere:
    """A new process, nothing of it loaded before, in a clone under another name."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = trial.rng.choice(self.target.states)
        calm = self.bench.undisturbed(self.target, state)
        place = trial.folder / "/".join("ab ü"[: trial.rng.randint(1, 4)])
        place.mkdir(parents=True)
        root = self.bench.project(place, self.target, state)
        (place / "tmp").mkdir()
        env = {
            "PYTHONHASHSEED": str(trial.rng.randrange(1, 2**32)),
            "TZ": trial.rng.choice(ZONES),
            "LC_ALL": trial.rng.choice(LOCALES),
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [sys.executable, "-m", *self.target.command],
            cwd=root,
            env=dict(os.environ) | env_of(root) | env,
            capture_output=True,
            text=True,
        )
        when = f"{state}, in {place.name!r} with {env['TZ']}, {env['LC_ALL']}"
        must_end_well(Done(done.returncode, done.stdout, done.stderr, [], 0.0), when)
        must_equal(root, calm.files, when)
