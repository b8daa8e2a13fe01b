"""Trains the small CLIP on drawings and captions made on the fly, and writes its folder.

A run that was killed goes on where its last checkpoint stands. With the same plan, code and machine
the weights are the same again, to the bit in float32 on one thread.
"""

from __future__ import annotations

import argparse
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from mmoe.files import content_key, read_json, sources_key, write_json
from tools.sample.authored import Authored, read_authored
from tools.sample.captions import caption, named, vocabulary_texts
from tools.sample.clip import new_tokenizer, save_clip
from tools.sample.clip_figures import measure
from tools.sample.clip_trainer import ClipTrainer, TrainPlan, cpu_precision
from tools.sample.model_card import FIGURES, machine_name, write_card
from tools.sample.train_data import Batch, TrainingBatches, random_scene

SHOWN_CAPTIONS = 500  # to the tokenizer; more would leave it few of the authored words
PROBED_STEPS, UNCOUNTED_STEPS = 25, 5
RECENT = 50  # steps whose mean loss is shown and reported

OnStep = Callable[[int, float], None]


@dataclass(frozen=True)
class Habits:
    """How a run is carried out; the result does not depend on it.

    Attributes:
        work: folder of the checkpoint; removed when the run succeeds.
        workers: processes that draw; 0 draws in the main process.
        checkpoint_seconds: time between checkpoints.
        on_step: is told step and loss.
    """

    work: Path
    workers: int = 1
    checkpoint_seconds: float = 120.0
    on_step: OnStep = lambda _step, _loss: None


def tokenizer_for(authored: Authored, plan: TrainPlan) -> Any:
    """The tokenizer, learned from the authored texts and from captions as in training."""
    rng = random.Random(f"clip-words:{plan.seed}")  # noqa: S311 - captions are no secret
    captions = [caption(random_scene(rng), rng).text for _ in range(SHOWN_CAPTIONS)]
    shown = [named(text, "", rng) for text in captions]
    texts = [*authored.texts, *vocabulary_texts(), *shown]
    return new_tokenizer(texts, plan.sizes.vocabulary)


def train(folder: Path, plan: TrainPlan, authored: Authored, habits: Habits) -> dict[str, float]:
    """Trains a CLIP and writes its folder.

    Returns:
        steps, batch, pairs, seconds, pairs_per_second, first_loss and last_loss (means of 50 steps).
    """
    trainer = ClipTrainer(plan, tokenizer_for(authored, plan))
    checkpoint = habits.work / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
    with _threads(plan.threads):
        _run(trainer, _batches(plan, authored, trainer.done, habits.workers), habits)
    save_clip(folder, trainer.trained(), trainer.tokenizer)
    shutil.rmtree(habits.work, ignore_errors=True)
    return _summary(plan, trainer)


def _run(trainer: ClipTrainer, batches: Iterator[Batch], habits: Habits) -> None:
    """All steps that are left; a checkpoint now and then."""
    started, before = time.monotonic(), trainer.seconds
    saved = started
    for batch in batches:
        loss = trainer.step(batch)
        now = time.monotonic()
        trainer.seconds = before + now - started
        if now - saved >= habits.checkpoint_seconds:
            trainer.save(habits.work / "checkpoint.pt")
            saved = now
        habits.on_step(trainer.done, loss)


def _batches(plan: TrainPlan, authored: Authored, first: int, workers: int) -> Iterator[Batch]:
    batches = TrainingBatches(plan.seed, plan.batch, authored, plan.window, plan.reuse)
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, plan.steps),
        num_workers=workers,
        # A forked child of a process with threads may hang.
        multiprocessing_context="spawn" if workers else None,
    )
    return iter(loader)


def _summary(plan: TrainPlan, trainer: ClipTrainer) -> dict[str, float]:
    pairs = plan.steps * plan.batch
    first, last = trainer.losses[:RECENT], trainer.losses[-RECENT:]
    return {
        "steps": plan.steps,
        "batch": plan.batch,
        "pairs": pairs,
        "seconds": round(trainer.seconds, 1),
        "pairs_per_second": round(pairs / trainer.seconds, 1),
        "first_loss": round(sum(first) / len(first), 4),
        "last_loss": round(sum(last) / len(last), 4),
    }


def steps_in(minutes: float, plan: TrainPlan, authored: Authored, workers: int = 1) -> int:
    """How many steps fit, by the time that a few take; their work is thrown away."""
    # A full window is drawn once, at the start of the run; here it would pass for the steps' own time.
    probe = replace(plan, steps=PROBED_STEPS, window=plan.batch)
    trainer = ClipTrainer(probe, tokenizer_for(authored, probe))
    ends = []
    with _threads(plan.threads):
        for batch in _batches(probe, authored, 0, workers):
            trainer.step(batch)
            ends.append(time.monotonic())
    seconds = (ends[-1] - ends[UNCOUNTED_STEPS - 1]) / (PROBED_STEPS - UNCOUNTED_STEPS)
    return max(1, int(minutes * 60 / seconds))


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m tools.sample train-clip`."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=_positive, default=38.0, help="train for about so long")
    length.add_argument("--steps", type=_whole, help="train exactly so many steps")
    parser.add_argument("--batch", type=_whole, default=128)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=_whole, default=2)
    parser.add_argument("--out", type=Path, default=Path("data/raw/sample/clip"))
    parser.add_argument("--work", type=Path, default=Path(".tools/sample-clip"))


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return value


def main_train(arguments: argparse.Namespace) -> None:
    """Trains, measures and writes the folder with its figures and its card."""
    authored = read_authored()
    plan = TrainPlan(
        steps=arguments.steps or 0,
        batch=arguments.batch,
        seed=arguments.seed,
        threads=arguments.threads,
        precision=cpu_precision(),
    )
    length = arguments.steps or f"{arguments.minutes} minutes"
    key = content_key(asdict(plan), asdict(authored), length, sources_key(Path(__file__).parent))
    work = arguments.work / key
    if not plan.steps:
        plan = replace(plan, steps=_planned_steps(work / "steps.json", arguments, plan, authored))
    with tqdm(total=plan.steps, unit="step", desc="CLIP") as bar:
        training = train(arguments.out, plan, authored, Habits(work, on_step=_shown_on(bar)))
    circumstances = {"seed": plan.seed, "precision": plan.precision, "machine": machine_name()}
    figures: dict[str, Any] = {"training": training | circumstances}
    write_json(arguments.out / FIGURES, figures | measure(arguments.out))
    write_card(arguments.out)


def _planned_steps(
    file: Path, arguments: argparse.Namespace, plan: TrainPlan, authored: Authored
) -> int:
    """Measured once: a resumed run keeps to its first plan."""
    if not file.exists():
        write_json(file, {"steps": steps_in(arguments.minutes, plan, authored)})
    return int(read_json(file)["steps"])


def _shown_on(bar: Any) -> OnStep:
    recent: list[float] = []

    def on_step(step: int, loss: float) -> None:
        recent.append(loss)
        del recent[:-RECENT]
        bar.set_postfix(loss=f"{sum(recent) / len(recent):.3f}", refresh=False)
        bar.update(step - bar.n)

    return on_step
