"""Short training runs, whole or killed; as a program, one that kills itself with SIGKILL.

usage  python -m tests.training.runs STORE WORK STEP
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmoe.config.loss import LossParams
from mmoe.config.train import TrainParams
from mmoe.linking.data import LinkingData
from mmoe.model.matcher import Matcher, MatcherSpec
from mmoe.model.matchers.mmoe import MMoE
from mmoe.training.batches import Batch
from mmoe.training.state import Progress
from mmoe.training.trainer import EpochRecord, Trainer

from tests.model.matchers import model_params, moe_params
from tests.stores import FEATURE_CONFIG, Toy, mrr_on, records_of

TRAIN = {
    "seed": 43,
    "batch_size": 7,
    "max_epochs": 3,
    "min_steps": 0,
    "learning_rate": 0.01,
    "schedule": "linear",
    "weight_decay": 1e-4,
    "adam_eps": 1e-6,
    "max_grad_norm": 1.0,
    "mined_negatives": 2,
    "mining_depth": 5,
    "patience": 3,
    "held_out": 0.0,
    "fraction": 1.0,
    "precision": "float32",
}
TERMS = ("overall", "text", "vision", "cross")


@dataclass
class Heard:
    """A listener that remembers."""

    records: list[EpochRecord] = field(default_factory=list)

    def on_epoch(self, record: EpochRecord) -> None:
        self.records.append(record)


def train_params(**changes: Any) -> TrainParams:
    """Section `train` with some keys changed."""
    return TrainParams.model_validate({**TRAIN, **changes})


def new_matcher(data: LinkingData, **changes: Any) -> MMoE:
    """An untrained matcher that fits the store."""
    units = ("text", "vision", "cross") if data.widths.image else ("text",)
    model = model_params(**{"units": units, "embed_dim": 8, "dropout": 0.25, **changes})
    torch.manual_seed(43)
    return MMoE(MatcherSpec(data.widths, model, moe_params()))


def new_trainer(
    data: LinkingData,
    work: Path,
    mrr_of: Callable[[Matcher, Tensor], float] | None = None,
    listener: Heard | None = None,
    matcher: Matcher | None = None,
    checkpoint_every: int = 2,
    **changes: Any,
) -> Trainer:
    """A trainer with small parameters."""
    return Trainer(
        new_matcher(data) if matcher is None else matcher,
        data,
        train_params(**changes),
        LossParams(terms=TERMS),
        mrr_on(data) if mrr_of is None else mrr_of,
        work,
        [] if listener is None else [listener],
        checkpoint_every,
    )


def outcome(trainer: Trainer) -> tuple[Progress, dict[str, Tensor]]:
    """Runs to the end."""
    progress = trainer.run()
    return progress, {name: value.clone() for name, value in trainer.matcher.state_dict().items()}


def die_before_step(trainer: Trainer, number: int, die: Callable[[], Any]) -> None:
    """Makes the run end just before its number-th step from now, 1 for the first."""
    step, done = trainer._step, 0

    def counted(batch: Batch, where: str) -> dict[str, float]:
        nonlocal done
        done += 1
        if done == number:
            die()
        return step(batch, where)

    trainer._step = counted  # type: ignore[method-assign]


def main(store: str, work: str, step: str) -> None:
    """Trains on a store until just before a step, then dies as by kill -9."""
    torch.set_num_threads(1)
    data = LinkingData.open(*records_of(Toy()), Path(store), FEATURE_CONFIG)
    trainer = new_trainer(data, Path(work))
    die_before_step(trainer, int(step), lambda: os.kill(os.getpid(), signal.SIGKILL))
    trainer.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
