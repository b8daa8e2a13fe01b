"""The training loop: contrastive steps, MRR of held-out mentions each epoch, early stopping, resumable.

Everything random is a function of (seed, epoch), so a run that was killed and started again takes the
same steps as one that was not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from mmoe.config.loss import LossParams
from mmoe.config.train import TrainParams
from mmoe.errors import TrainingError
from mmoe.linking.data import LinkingData
from mmoe.linking.device import resolve_precision
from mmoe.linking.memory import return_freed_memory
from mmoe.linking.sides import Side
from mmoe.model.matcher import OVERALL, Matcher
from mmoe.model.registry import chosen_loss_terms
from mmoe.training.batches import Batch, Batches, LoadedBatch, load_batch, loss_batch
from mmoe.training.held_out import split_mentions
from mmoe.training.optimiser import build_optimiser, learning_rate
from mmoe.training.state import BEST, LAST, Progress, States
from mmoe.training.streams import Stream, generator

CALIBRATION_ROWS = 512
TRIM_EVERY = 4  # steps


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Attributes:
        learning_rate: of the epoch's last step.
        loss: mean over the epoch's steps, one entry a term and `total`.
        held_out_mrr: MRR (×100) of the mentions that decide when training stops.
        expert_load: share of the routed tokens that each expert got, one list a unit.
    """

    epoch: int
    step: int
    learning_rate: float
    loss: dict[str, float]
    held_out_mrr: float
    expert_load: dict[str, list[float]]


class TrainingListener(Protocol):
    """Hears of every finished epoch; after a resume, of the earlier ones again."""

    def on_epoch(self, record: EpochRecord) -> None:
        """One epoch is done and measured."""


@dataclass(frozen=True)
class Beside:
    """What is trained together with a matcher, such as prompts in the encoder.

    Attributes:
        pace: its learning rate, in multiples of the matcher's.
        after_backward: called before a step's gradients are used.
        is_first: whether this process writes checkpoints; others read the first one's.
        wait: returns once all processes have called it.
        remedy: what to do where memory lacks; `{half}` is half of a batch.
    """

    module: nn.Module
    pace: float = 1.0
    after_backward: Callable[[], None] = lambda: None
    is_first: bool = True
    wait: Callable[[], None] = lambda: None
    remedy: str = "try train.accumulate: 2, or train.batch_size: {half}"


class Trainer:
    """Trains a matcher on one data set.

    Args:
        mrr_of: MRR (×100) of `matcher` on the held-out `mentions`; see `held_out_mrr`.
        beside: what is trained together with the matcher; None for nothing.
        work: folder for checkpoints; keyed by the caller with all that decides the result.
    """

    def __init__(
        self,
        matcher: Matcher,
        data: LinkingData[Side],
        params: TrainParams,
        loss: LossParams,
        mrr_of: Callable[[Matcher, Tensor], float],
        work: Path,
        listeners: Sequence[TrainingListener] = (),
        checkpoint_every: int = 50,
        beside: Beside | None = None,
    ) -> None:
        self.beside = beside or Beside(nn.ModuleList())
        self.checkpoint_every = checkpoint_every
        self.device = next(matcher.parameters()).device
        self.matcher, self.data, self.params = matcher, data, params
        self.loss_terms = chosen_loss_terms(matcher, loss.terms)
        self.mrr_of, self.work, self.listeners = mrr_of, work, listeners
        self.precision = resolve_precision(params.precision, self.device)
        self.trained = nn.ModuleDict({"matcher": matcher, "beside": self.beside.module})
        self.optimiser = build_optimiser(matcher, params, self.beside.module, self.beside.pace)
        self.mentions, self.held_out = split_mentions(data, params)
        self.batches = Batches(data, self.mentions, params)
        self.states = States(work, self.trained, self.optimiser, self.beside.is_first)
        self.progress = Progress()
        if params.from_ == "scratch":
            self._calibrate()

    def run(self) -> Progress:
        """Trains until early stopping or the last epoch; the matcher then holds the best weights.

        Raises:
            TrainingError: if the loss stops being finite; the last good checkpoint is kept.
        """
        self._resume()
        if not self.progress.history:
            self._finish_epoch(epoch=0)
        while self.progress.epoch < self._num_epochs() and not self._is_stale():
            self._train_epoch(self.progress.epoch + 1)
            self._finish_epoch(self.progress.epoch + 1)
        self.beside.wait()
        self.states.load_best()
        return self.progress

    def summary(self) -> dict[str, Any]:
        """How training went, as it is written to history.json."""
        progress = self.progress
        return {
            "epochs": progress.history[1:],
            "best_epoch": progress.best_epoch,
            "untrained_held_out_mrr": progress.history[0]["held_out_mrr"],
            "precision": self.precision,
        }

    def _calibrate(self) -> None:
        rng = generator(self.params.seed, Stream.CALIBRATION)
        mentions = torch.from_numpy(rng.permutation(self.mentions.numpy())[:CALIBRATION_ROWS])
        entities = torch.from_numpy(rng.permutation(len(self.data.entities))[:CALIBRATION_ROWS])
        self.matcher.calibrate(
            self.data.mention_side.gather(mentions, self.device),
            self.data.entity_side.gather(entities, self.device),
        )

    def _steps_per_epoch(self) -> int:
        return math.ceil(len(self.mentions) / self.params.batch_size)

    def _num_epochs(self) -> int:
        if not self.params.max_epochs:
            return 0
        return max(
            self.params.max_epochs, math.ceil(self.params.min_steps / self._steps_per_epoch())
        )

    def _num_steps(self) -> int:
        return self._num_epochs() * self._steps_per_epoch()

    def _learning_rate(self, step: int) -> float:
        return learning_rate(self.params, step, self._num_steps())

    def _is_stale(self) -> bool:
        waited = self.progress.epoch - self.progress.best_epoch
        enough = self.progress.step >= self.params.min_steps and self.matcher.may_stop
        return waited >= self.params.patience and enough

    def _train_epoch(self, epoch: int) -> None:
        batches, done = self.batches.of_epoch(epoch), self.progress.step_in_epoch
        self.matcher.train()
        with tqdm(
            total=len(batches), initial=done, unit="step", desc=f"epoch {epoch}", disable=None
        ) as bar:
            for number, batch in enumerate(batches[done:], done + 1):
                losses = self._step(batch, f"epoch {epoch}, batch {number}")
                for name, value in losses.items():
                    self.progress.loss_sums[name] = self.progress.loss_sums.get(name, 0.0) + value
                self.progress.step_in_epoch, self.progress.step = number, self.progress.step + 1
                bar.set_postfix({"loss": f"{losses['total']:.3f}"}, refresh=False)
                bar.update()
                if number % TRIM_EVERY == 0:
                    return_freed_memory()
                if number % self.checkpoint_every == 0:
                    self.states.save(LAST, self.progress)

    def _step(self, batch: Batch, where: str) -> dict[str, float]:
        # Dropout of a step depends on the step alone, so that a resumed run draws the same.
        dropout = generator(self.params.seed, Stream.DROPOUT, self.progress.step)
        torch.manual_seed(int(dropout.integers(2**63)))
        self.matcher.at_progress(self.progress.step / self._num_steps())
        losses = Counter[str]()
        self.optimiser.zero_grad()
        try:
            for part in self._parts(batch):
                share = len(part.batch.mentions) / len(batch.mentions)
                losses.update(self._add_gradients(part, share, where))
        except RuntimeError as error:
            raise self._out_of_memory(error, where) from None
        self.beside.after_backward()
        norm = nn.utils.clip_grad_norm_(self.trained.parameters(), self.params.max_grad_norm)
        if not torch.isfinite(norm):  # a step with it would leave no good weights
            raise self._not_finite(f"{where}: the gradient is {float(norm)}", batch.mentions)
        self.optimiser.step(self._learning_rate(self.progress.step))
        return dict(losses)

    def _parts(self, batch: Batch) -> Iterator[LoadedBatch]:
        """What gradients are computed of at a time; whole groups of mentions, as these share negatives."""
        params = self.params
        groups = math.ceil(params.batch_size / params.group_size)
        size = params.group_size * math.ceil(groups / params.accumulate)
        for part in map(Batch, *(torch.split(each, size) for each in batch)):
            yield load_batch(self.data, part)

    def _add_gradients(self, part: LoadedBatch, share: float, where: str) -> dict[str, float]:
        """Adds the gradients of a part of the step, and returns its part of the losses."""
        batch = loss_batch(self.matcher, self.data, part, self.params.group_size, self.precision)
        losses = {name: term(batch) * share for name, term in self.loss_terms.items()}
        losses["total"] = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(losses["total"]):
            mentions = part.batch.mentions
            bad = mentions[~torch.isfinite(batch.scores[OVERALL]).all(dim=-1).cpu()]
            raise self._not_finite(
                f"{where}: the loss is {float(losses['total'].detach())}",
                bad if len(bad) else mentions,
            )
        losses["total"].backward()  # type: ignore[no-untyped-call]
        return {name: float(value.detach()) for name, value in losses.items()}

    def _out_of_memory(self, error: RuntimeError, where: str) -> Exception:
        """What to try if it was memory that lacked; else the error itself."""
        # On the CPU torch raises nothing narrower.
        if not (isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)):
            return error
        size = max(1, self.params.batch_size // 2)
        return TrainingError(
            f"{where}: not enough memory for {self.params.batch_size} mentions a step; the last checkpoint "
            f"is kept in {self.work}; {self.beside.remedy.format(half=size)}"
        )

    def _not_finite(self, what: str, mentions: Tensor) -> TrainingError:
        ids = [self.data.mentions[i].mention_id for i in mentions.tolist()]
        named = ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
        return TrainingError(
            f"{what} (mentions {named}); the last good checkpoint is kept in {self.work}; lower "
            "train.learning_rate or look at those features"
        )

    def _finish_epoch(self, epoch: int) -> None:
        """Ranks the held-out mentions, records and keeps the weights if they are the best so far."""
        progress = self.progress
        steps = max(1, progress.step_in_epoch)
        load = self.matcher.take_expert_load()
        self.optimiser.zero_grad()
        return_freed_memory()
        record = EpochRecord(
            epoch,
            progress.step,
            self._learning_rate(max(0, progress.step - 1)),
            {name: value / steps for name, value in progress.loss_sums.items()},
            self.mrr_of(self.matcher.eval(), self.held_out),
            load,
        )
        progress.history.append(vars(record).copy())
        progress.epoch, progress.step_in_epoch, progress.loss_sums = epoch, 0, {}
        if record.held_out_mrr > progress.best_mrr:
            progress.best_mrr, progress.best_epoch = record.held_out_mrr, epoch
            self.states.save(BEST, progress)
        self.states.save(LAST, progress)
        for listener in self.listeners:
            listener.on_epoch(record)

    def _resume(self) -> None:
        self.progress = self.states.resume()
        for record in self.progress.history:
            for listener in self.listeners:
                listener.on_epoch(EpochRecord(**record))
