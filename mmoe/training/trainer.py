"""The training loop: contrastive steps, validation each epoch, early stopping, resumable anywhere.

Everything random is a function of (seed, epoch), so a run that was killed and started again takes the
same steps as one that was not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from mmoe.config.loss import LossParams
from mmoe.config.train import TrainParams
from mmoe.errors import TrainingError
from mmoe.files import atomic_write
from mmoe.linking.data import LinkingData
from mmoe.linking.device import resolve_precision
from mmoe.linking.memory import return_freed_memory
from mmoe.model.encoded import EncodedEntities, EncodedMentions, select
from mmoe.model.losses import LossBatch
from mmoe.model.matcher import OVERALL, Matcher
from mmoe.model.registry import chosen_loss_terms
from mmoe.training.mining import mine_negatives
from mmoe.training.optimiser import build_optimiser, set_learning_rate

CALIBRATION_ROWS = 512
TRIM_EVERY = 8  # steps
SHUFFLE, NEGATIVES, FRACTION, CALIBRATION, DROPOUT = range(
    5
)  # independent random streams of one seed


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Attributes:
        learning_rate: of the epoch's last step.
        loss: mean over the epoch's steps, one entry a term and `total`.
        expert_load: share of the routed tokens that each expert got, one list a unit.
    """

    epoch: int
    step: int
    learning_rate: float
    loss: dict[str, float]
    valid_mrr: float
    expert_load: dict[str, list[float]]


class TrainingListener(Protocol):
    """Hears of every finished epoch; after a resume, of the earlier ones again."""

    def on_epoch(self, record: EpochRecord) -> None:
        """One epoch is done and validated."""


@dataclass
class Progress:
    """Where training stands; with the weights, all that a resumed run needs."""

    epoch: int = 0  # finished epochs
    step_in_epoch: int = 0
    step: int = 0
    loss_sums: dict[str, float] = field(default_factory=dict)
    best_mrr: float = float("-inf")
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


class _Group(NamedTuple):
    """A part of a batch whose gold entities are one another's negatives; see `LossBatch`."""

    scores: dict[str, Tensor]
    gold_column: Tensor
    allowed: Tensor


class Trainer:
    """Trains a matcher on one data set.

    Args:
        validate: MRR (×100) of a matcher on the validation mentions over the whole knowledge base.
        work: folder for checkpoints; keyed by the caller with all that decides the result.
    """

    def __init__(
        self,
        matcher: Matcher,
        data: LinkingData,
        params: TrainParams,
        loss: LossParams,
        validate: Callable[[Matcher], float],
        work: Path,
        listeners: Sequence[TrainingListener] = (),
        checkpoint_every: int = 50,
    ) -> None:
        self.checkpoint_every = checkpoint_every
        self.device = next(matcher.parameters()).device
        self.matcher, self.data, self.params = matcher, data, params
        self.loss_terms = chosen_loss_terms(matcher, loss.terms)
        self.validate, self.work, self.listeners = validate, work, listeners
        self.precision = resolve_precision(params.precision, self.device)
        self.optimiser = build_optimiser(matcher, params)
        self.mentions = self._training_mentions()
        self.negatives = mine_negatives(data, self.mentions, params.mining_depth)
        self.progress = Progress()
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
        self.matcher.load_state_dict(self._load("best.pt")["matcher"])
        return self.progress

    def summary(self) -> dict[str, Any]:
        """How training went, as it is written to history.json."""
        progress = self.progress
        return {
            "epochs": progress.history[1:],
            "best_epoch": progress.best_epoch,
            "untrained_valid_mrr": progress.history[0]["valid_mrr"],
            "precision": self.precision,
        }

    def _training_mentions(self) -> Tensor:
        mentions = self.data.linkable("train")
        if not len(mentions):
            raise TrainingError("no training mention has its gold entity in the knowledge base")
        if self.params.fraction < 1:
            kept = max(1, round(self.params.fraction * len(mentions)))
            chosen = self._rng(FRACTION, 0).permutation(len(mentions))[:kept]
            mentions = mentions[torch.from_numpy(np.sort(chosen))]
        return mentions

    def _calibrate(self) -> None:
        rng = self._rng(CALIBRATION, 0)
        mentions = torch.from_numpy(rng.permutation(self.mentions.numpy())[:CALIBRATION_ROWS])
        entities = torch.from_numpy(rng.permutation(len(self.data.entities))[:CALIBRATION_ROWS])
        self.matcher.calibrate(
            self.data.mention_side.gather(mentions, self.device),
            self.data.entity_side.gather(entities, self.device),
        )

    def _rng(self, stream: int, number: int) -> np.random.Generator:
        """One stream's generator for an epoch or a step."""
        return np.random.default_rng([self.params.seed, stream, number])

    def _steps_per_epoch(self) -> int:
        return math.ceil(len(self.mentions) / self.params.batch_size)

    def _num_epochs(self) -> int:
        if not self.params.max_epochs:
            return 0
        return max(
            self.params.max_epochs, math.ceil(self.params.min_steps / self._steps_per_epoch())
        )

    def _is_stale(self) -> bool:
        waited = self.progress.epoch - self.progress.best_epoch
        return waited >= self.params.patience and self.progress.step >= self.params.min_steps

    def _train_epoch(self, epoch: int) -> None:
        order = torch.from_numpy(self._rng(SHUFFLE, epoch).permutation(len(self.mentions)))
        drawn = self._draw_negatives(epoch)
        batches = torch.split(order, self.params.batch_size)
        self.matcher.train()
        bar = tqdm(batches, initial=0, unit="step", desc=f"epoch {epoch}", disable=None)
        for number, rows in enumerate(bar):
            if number < self.progress.step_in_epoch:
                continue
            losses = self._step(rows, drawn[rows], f"epoch {epoch}, batch {number + 1}")
            for name, value in losses.items():
                self.progress.loss_sums[name] = self.progress.loss_sums.get(name, 0.0) + value
            self.progress.step_in_epoch, self.progress.step = number + 1, self.progress.step + 1
            bar.set_postfix(loss=f"{losses['total']:.3f}")
            if (number + 1) % TRIM_EVERY == 0:
                return_freed_memory()
            if (number + 1) % self.checkpoint_every == 0:
                self._save("last.pt")

    def _draw_negatives(self, epoch: int) -> Tensor:
        """[M, mined_negatives] of the mined ones, drawn anew each epoch without replacement."""
        count = min(self.params.mined_negatives, self.negatives.shape[1])
        keys = self._rng(NEGATIVES, epoch).random(tuple(self.negatives.shape))
        columns = torch.from_numpy(np.argpartition(keys, count - 1, axis=1)[:, :count].copy())
        return self.negatives.gather(1, columns) if count else self.negatives[:, :0]

    def _step(self, rows: Tensor, negatives: Tensor, where: str) -> dict[str, float]:
        # Dropout of a step depends on the step alone, so that a resumed run draws the same.
        torch.manual_seed(int(self._rng(DROPOUT, self.progress.step).integers(2**63)))
        mentions, losses = self.mentions[rows], Counter[str]()
        self.optimiser.zero_grad(set_to_none=True)
        for part in torch.split(torch.arange(len(rows)), self._part_size()):
            share = len(part) / len(rows)
            losses.update(self._add_gradients(mentions[part], negatives[part], share, where))
        norm = torch.nn.utils.clip_grad_norm_(self.matcher.parameters(), self.params.max_grad_norm)
        if not torch.isfinite(norm):  # a step with it would leave no good weights
            raise self._not_finite(f"{where}: the gradient is {float(norm)}", mentions)
        num_steps = self._num_epochs() * self._steps_per_epoch()
        set_learning_rate(self.optimiser, self.params, self.progress.step, num_steps)
        self.optimiser.step()
        return dict(losses)

    def _part_size(self) -> int:
        """Mentions whose gradients are computed at a time; whole groups, as these share negatives."""
        params = self.params
        groups = math.ceil(params.batch_size / params.group_size)
        return params.group_size * math.ceil(groups / params.accumulate)

    def _add_gradients(
        self, mentions: Tensor, negatives: Tensor, share: float, where: str
    ) -> dict[str, float]:
        """Adds the gradients of a part of the step, and returns its part of the losses."""
        batch = self._loss_batch(mentions, negatives)
        losses = {name: term(batch) * share for name, term in self.loss_terms.items()}
        losses["total"] = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(losses["total"]):
            bad = mentions[~torch.isfinite(batch.scores[OVERALL]).all(dim=-1).cpu()]
            raise self._not_finite(
                f"{where}: the loss is {float(losses['total'].detach())}",
                bad if len(bad) else mentions,
            )
        losses["total"].backward()  # type: ignore[no-untyped-call]
        return {name: float(value.detach()) for name, value in losses.items()}

    def _loss_batch(self, mentions: Tensor, negatives: Tensor) -> LossBatch:
        """Scores of a batch's mentions with their group's distinct golds and with their own negatives."""
        gold = self.data.gold_of(mentions)
        entities, inverse = torch.unique(
            torch.cat([gold, negatives.flatten()]), return_inverse=True
        )
        golds, own = inverse[: len(gold)], inverse[len(gold) :].view_as(negatives)
        mention_features = self.data.mention_side.gather(mentions, self.device)
        entity_features = self.data.entity_side.gather(entities, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            encoded = self.matcher.encode_mentions(mention_features)
            everyone = self.matcher.encode_entities(entity_features)
            groups = [
                self._group(select(encoded, rows.to(self.device)), everyone, golds[rows], own[rows])
                for rows in torch.split(torch.arange(len(gold)), self.params.group_size)
            ]
        return LossBatch(
            {
                name: torch.cat([group.scores[name] for group in groups])
                for name in groups[0].scores
            },
            torch.cat([group.gold_column for group in groups]).to(self.device),
            torch.cat([group.allowed for group in groups]).to(self.device),
            mention_features,
            lambda: self.data.entity_side.gather(gold, self.device),
            gold.to(self.device),
        )

    def _group(
        self, mentions: EncodedMentions, everyone: EncodedEntities, golds: Tensor, own: Tensor
    ) -> _Group:
        """One group: its distinct golds are columns that all its mentions share; unused columns are masked.

        Args:
            golds: int64 [G], positions among `everyone`; `own` [G, n]: of each mention's mined negatives.
        """
        shared, gold_column = torch.unique(golds, return_inverse=True)
        unused = min(self.params.group_size, self.params.batch_size) - len(shared)
        # A mined entity that is gold of another mention of the group counts once.
        is_shared = torch.ones(len(golds), len(shared), dtype=torch.bool)
        allowed = torch.cat(
            [functional.pad(is_shared, (0, unused)), ~torch.isin(own, shared)], dim=1
        )
        scores = self.matcher.scores(mentions, select(everyone, shared.to(self.device)))
        scores = {name: functional.pad(each, (0, unused)) for name, each in scores.items()}
        if own.numel():
            theirs = select(everyone, own.flatten().to(self.device))
            own_scores = self.matcher.scores_with_own_negatives(mentions, theirs)
            scores = {name: torch.cat([scores[name], own_scores[name]], dim=1) for name in scores}
        return _Group(scores, gold_column, allowed)

    def _not_finite(self, what: str, mentions: Tensor) -> TrainingError:
        ids = [self.data.mentions[i].mention_id for i in mentions.tolist()]
        named = ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
        return TrainingError(
            f"{what} (mentions {named}); the last good checkpoint is kept in {self.work}; lower "
            "train.learning_rate or look at those features"
        )

    def _finish_epoch(self, epoch: int) -> None:
        """Validates, records and keeps the weights if they are the best so far."""
        progress = self.progress
        steps = max(1, progress.step_in_epoch)
        load = self.matcher.take_expert_load()
        record = EpochRecord(
            epoch,
            progress.step,
            float(self.optimiser.param_groups[0]["lr"]),
            {name: value / steps for name, value in progress.loss_sums.items()},
            self.validate(self.matcher.eval()),
            load,
        )
        progress.history.append(vars(record).copy())
        progress.epoch, progress.step_in_epoch, progress.loss_sums = epoch, 0, {}
        if record.valid_mrr > progress.best_mrr:
            progress.best_mrr, progress.best_epoch = record.valid_mrr, epoch
            self._save("best.pt")
        self._save("last.pt")
        for listener in self.listeners:
            listener.on_epoch(record)

    def _save(self, name: str) -> None:
        state = {
            "matcher": self.matcher.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": vars(self.progress).copy(),
        }
        with atomic_write(self.work / name) as temporary:
            torch.save(state, temporary)

    def _load(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = torch.load(
            self.work / name, map_location=self.device, weights_only=True
        )
        return state

    def _resume(self) -> None:
        if not (self.work / "last.pt").exists():
            return
        state = self._load("last.pt")
        self.matcher.load_state_dict(state["matcher"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])
        for record in self.progress.history:
            for listener in self.listeners:
                listener.on_epoch(EpochRecord(**record))
