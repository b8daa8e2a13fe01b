"""Two runs of one command at once: nothing is destroyed, and one line says who waits for whom."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.campaign.attack import Attack, Finding, Trial
from tests.campaign.bench import Bench, must_end_well, must_equal
from tests.campaign.disk import must_be_one_line
from tests.campaign.kills import LEFT
from tests.campaign.targets import Target

TRIALS = 10


def attacks(bench: Bench) -> Iterator[Attack]:
    for target in bench.targets:
        yield Attack("two at once", target.name, TRIALS, Twice(bench, target).run)


@dataclass(frozen=True)
class Twice:
    """The second one starts at the same time, or a little later."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = trial.rng.choice(self.target.states)
        calm = self.bench.undisturbed(self.target, state)
        pause = trial.rng.choice((0.0, trial.rng.uniform(0, calm.seconds)))
        root = self.bench.project(trial.folder, self.target, state)
        when = f"{state}, two at once, {pause:.2f} s apart"
        first = self.bench.start(self.target, root, streams=trial.folder / "first")
        time.sleep(pause)
        second = self.bench.start(self.target, root, streams=trial.folder / "second")
        ended = [first.end(), second.end()]
        for done in ended:
            must_be_one_line(done, when)
        if all(done.code for done in ended):
            raise Finding(f"{when}, both fail: {ended[0].told} / {ended[1].told}")
        must_equal(root, calm.files, when)
        again = self.bench.run(self.target, root)
        must_end_well(again, f"{when}, then again", (0, 1) if self.target.may_refuse else (0,))
        must_equal(root, calm.files, f"{when}, then again", LEFT if again.code else None)
