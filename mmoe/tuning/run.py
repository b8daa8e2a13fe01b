"""Trains encoder and matcher together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mmoe.config.loss import LossParams
from mmoe.config.train import TrainParams
from mmoe.config.tune import TuneParams
from mmoe.encoders.tuned import Tuning
from mmoe.linking.data import LinkingData
from mmoe.model.matcher import Matcher
from mmoe.training.held_out import held_out_mrr
from mmoe.training.trainer import Beside, Trainer, TrainingListener
from mmoe.tuning.live import LiveSide
from mmoe.tuning.processes import Processes


def joint_params(train: TrainParams, tune: TuneParams) -> TrainParams:
    """Section `train`, with what section `tune` says otherwise; the memory of a step is tune's to bound."""
    changes = {
        "batch_size": tune.batch_size,
        "max_epochs": tune.max_epochs,
        "min_steps": tune.min_steps,
        "accumulate": 1,
        "from_": "scratch",
    }
    return train.model_copy(update=changes)


def joint_trainer(
    matcher: Matcher,
    tuning: Tuning,
    data: LinkingData[LiveSide],
    sections: tuple[TrainParams, TuneParams, LossParams],
    work: Path,
    listeners: Sequence[TrainingListener] = (),
    checkpoint_every: int = 50,
) -> Trainer:
    """A trainer of a matcher and of what is learned of its encoder.

    Args:
        work: folder for checkpoints; see `Trainer`.
    """
    train, tune, loss = sections
    if terms := matcher.for_tuning():
        loss = LossParams(terms=terms)
    params = joint_params(train, tune)
    live = data.mention_side.live
    processes: Processes = live.processes
    beside = Beside(
        tuning.trained,
        tune.encoder_rate / train.learning_rate,
        partial(processes.add_gradients, tuning.trained),
        is_first=processes.rank == 0,
        wait=processes.wait,
        remedy=(
            f"try tune.rows_at_a_time: {max(1, live.rows_at_a_time // 2)}, which changes no gradient, or "
            "tune.batch_size: {half}"
        ),
    )
    mrr_of: Callable[..., float] = partial(
        held_out_mrr, data=data, seed=params.seed, precision=live.precision
    )
    return Trainer(matcher, data, params, loss, mrr_of, work, listeners, checkpoint_every, beside)
