"""Spoilt files: an MmoeError or success; never another exception, nor another value read in silence."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from mmoe.errors import MmoeError

from tests.campaign.attack import Attack, Finding, Trial
from tests.campaign.bench import Bench, contents, must_equal
from tests.campaign.disk import must_be_one_line
from tests.campaign.mutators import Spoilt, spoilt
from tests.campaign.process import At, run_here
from tests.campaign.readers import readers
from tests.campaign.targets import Target
from tests.imports import ROOT

OF_A_STAGE, OF_KEPT_WORK = 100, 20
# What a stage has written is read by others as it was written; raw data is whoever's.
GUARDED = (".parquet", ".safetensors", ".json")
RUNS = 2  # after which kept work that is spoilt must not stand in the way any more


def attacks(bench: Bench) -> Iterator[Attack]:
    for reader in readers(bench.data):
        read = SpoiltFile(bench.finished, bench.data, reader.name)
        yield Attack("mutated file", reader.name, reader.trials, read.run, in_worker=True)
    for target in bench.targets:
        if target.deps:
            run = SpoiltInput(bench, target).run
            calm = partial(bench.undisturbed, target, "after dvc")
            yield Attack("mutated input", target.name, OF_A_STAGE, run, True, calm)
        yield Attack("mutated work", target.name, OF_KEPT_WORK, SpoiltWork(bench, target).run)


@dataclass(frozen=True)
class SpoiltFile:
    """A file of those that a reader reads, alone."""

    finished: Path
    data: str
    name: str

    def run(self, trial: Trial) -> None:
        reader = next(r for r in readers(self.data) if r.name == self.name)
        good, wanted = _good(self.finished, self.data, self.name)
        name = trial.rng.choice(sorted(good))
        bad = spoilt(name, good[name], trial.rng)
        folder = trial.folder / "files"
        for file, content in (good | {name: bad.content}).items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        found, is_read = trapped(lambda: reader.read(folder), f"{name}, {bad.how}")
        if is_read and reader.is_guarded and not bad.is_other_form and found != wanted:
            raise Finding(f"read in silence as something else: {name}, {bad.how}")


@cache
def _good(finished: Path, data: str, name: str) -> tuple[dict[str, bytes], object]:
    """The good files of a reader, and what it reads of them."""
    reader = next(r for r in readers(data) if r.name == name)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        reader.make(finished, place)
        files = {
            path.relative_to(place).as_posix(): path.read_bytes()
            for path in sorted(place.rglob("*"))
            if path.is_file()
        }
        return files, reader.read(place)


@dataclass(frozen=True)
class SpoiltInput:
    """A file of those that a stage depends on, or params.yaml; the stage then runs."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        calm = self.bench.undisturbed(self.target, "after dvc")
        root = self.bench.project(trial.folder, self.target, "after dvc")
        file = trial.rng.choice([*self._files(root), root / "params.yaml"])
        bad = _spoil(file, trial)
        name = file.relative_to(root).as_posix()
        os.chdir(root)
        try:
            _, is_read = trapped(lambda: run_here(self.target.command), f"{name}, {bad.how}")
        finally:
            os.chdir(ROOT)
        is_guarded = file.suffix in GUARDED and "data/raw" not in name
        if is_read and is_guarded and not bad.is_other_form:
            calm_files = {n: d for n, d in calm.files.items() if n != name}
            there = {n: d for n, d in contents(root).items() if n != name}
            if other := sorted(n for n in calm_files if calm_files[n] != there.get(n)):
                raise Finding(f"read in silence: {name}, {bad.how}; other results: {other[0]}")

    def _files(self, root: Path) -> list[Path]:
        places = [root / dep for dep in self.target.deps if "fingerprints" not in dep]
        found = [file for place in places for file in (place, *place.rglob("*")) if file.is_file()]
        return sorted(found)


@dataclass(frozen=True)
class SpoiltWork:
    """What a killed run has kept for the next one is spoilt."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = self.target.states[0]
        calm = self.bench.undisturbed(self.target, state)
        at = At(signal.SIGKILL, seam=trial.rng.randint(calm.seams // 4, calm.seams + 1))
        root = self.bench.project(trial.folder, self.target, state)
        self.bench.run(self.target, root, at=at)
        kept = sorted(
            path
            for path in root.rglob("*")
            if path.is_file()
            and (".mmoe" in path.relative_to(root).parts or path.name.startswith("."))
            and "locks" not in path.parts
        )
        if not kept:
            return
        file = trial.rng.choice(kept)
        bad = _spoil(file, trial)
        when = f"killed before change {at.seam}, {file.relative_to(root)}, {bad.how}"
        for _ in range(RUNS):
            done = self.bench.run(self.target, root)
            must_be_one_line(done, when)
        if done.code and not self.target.may_refuse:
            raise Finding(f"{when}, stands in the way of every later run: {done.told}")
        if not done.code and not bad.is_other_form:
            must_equal(root, calm.files, when)


def _spoil(file: Path, trial: Trial) -> Spoilt:
    bad = spoilt(file.name, file.read_bytes(), trial.rng)
    file.unlink()  # it may have other names, of which each is a file of its own for us
    file.write_bytes(bad.content)
    return bad


def trapped(read: Callable[[], object], how: str) -> tuple[object, bool]:
    """What is read, and whether it was; a Finding for any exception but those that end as one line."""
    try:
        return read(), True
    except (MmoeError, OSError):
        return None, False
    except SystemExit as ended:
        if ended.code not in (0, 1, 2, None):
            raise Finding(f"exit code {ended.code}: {how}") from None
        return None, not ended.code
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "/mmoe/" in f.filename or "/pipeline/" in f.filename]
        at = f"{Path((ours or frames)[-1].filename).name}:{(ours or frames)[-1].lineno}"
        text = " ".join(str(error).split())[:120]
        raise Finding(f"{type(error).__name__} in {at} ({text}): {how}") from None
