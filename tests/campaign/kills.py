"""Commands that are killed or interrupted at a random moment, then given again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.campaign.attack import Attack, Finding, Trial
from tests.campaign.bench import Bench, contents, kept_in, must_end_well, must_equal
from tests.campaign.process import At, Done
from tests.campaign.targets import Target

TRIALS = 50
STOPPED = 130
# Pieces of work that a killed run may do anew.
REPEATED = 1
# What a command that was killed at its very end, and then says that all is done, may leave: hidden files, and
# the knowledge base before the change, which the next change removes.
LEFT = r"(.*/)?\..*|data/bundles/[^/]*/kb-0/.*"


def attacks(bench: Bench) -> Iterator[Attack]:
    for target in bench.targets:
        yield Attack("kill", target.name, TRIALS, Kill(bench, target).run)
        yield Attack("interrupt", target.name, 10, Interrupt(bench, target).run)


@dataclass(frozen=True)
class Kill:
    """SIGKILL, half of the time at a random moment, half before a random change to the disk."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = trial.rng.choice(self.target.states)
        calm = self.bench.undisturbed(self.target, state)
        at = At(signal.SIGKILL, seconds=trial.rng.uniform(0, 1.02 * calm.seconds))
        if calm.seams and trial.rng.random() < 0.5:
            at = At(signal.SIGKILL, seam=trial.rng.randint(1, calm.seams))
        root = self.bench.project(trial.folder, self.target, state)
        when = f"{state}, killed {_moment(at)}"
        killed = self.bench.run(self.target, root, at=at)
        must_end_well(killed, when, (0, -signal.SIGKILL))
        is_done = contents(root) == calm.files
        again = resumed(self.bench, self.target, root, when)
        must_equal(root, calm.files, when, LEFT if again.code else None)
        repeated = kept_in(killed) + kept_in(again) - calm.kept
        if state == "first" and repeated > REPEATED and not is_done:
            raise Finding(f"{when}, {repeated} of {calm.kept} pieces of work are done anew")
        if left := sorted((trial.folder / "tmp").rglob("*")) if killed.code == 0 else []:
            raise Finding(f"{when}, a whole run leaves temporary files: {left[0].name}")


@dataclass(frozen=True)
class Interrupt:
    """SIGINT (Ctrl-C) or SIGTERM: as a kill, and one line at most."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = trial.rng.choice(self.target.states)
        calm = self.bench.undisturbed(self.target, state)
        number = trial.rng.choice((signal.SIGINT, signal.SIGTERM))
        # Not while Python itself loads the command: nobody can catch it there.
        at = At(number, seconds=trial.rng.uniform(0.3, 1.02) * calm.seconds)
        root = self.bench.project(trial.folder, self.target, state)
        when = f"{state}, {number.name} {_moment(at)}"
        must_end_well(
            self.bench.run(self.target, root, at=at), when, (0, 1, STOPPED, -signal.SIGTERM)
        )
        again = resumed(self.bench, self.target, root, when)
        must_equal(root, calm.files, when, LEFT if again.code else None)


def resumed(bench: Bench, target: Target, root: Path, when: str) -> Done:
    """The command is given again and must end well."""
    done = bench.run(target, root)
    must_end_well(done, f"{when}, then again", (0, 1) if target.may_refuse else (0,))
    return done


def _moment(at: At) -> str:
    return f"at {at.seconds:.2f} s" if at.seam is None else f"before change {at.seam}"
