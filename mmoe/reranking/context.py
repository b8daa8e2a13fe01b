"""Which entities a context asks for when its mention is hidden: two learned projections of frozen vectors.

The names say most, so whatever learns beside them learns little else. A context that hides its mention can't
name anybody: what it learns is what is said of a person or a place and how the knowledge base says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mmoe.model.adamw import AdamW, ParameterGroup
from mmoe.reranking.pairs import Pairs

FOLDS = 4
WIDTH = 256
BATCH = 512
EPOCHS, LEAST_STEPS = 10, 30
TEMPERATURE = 0.1
LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 1e-3, 1e-2, 0.1
SEED = 43
Rows = Callable[[NDArray[np.int64]], NDArray[np.float32]]  # vectors at positions [...]: [..., Q]


@dataclass(frozen=True)
class TwoTowers:
    """A linear projection of each side into one space, where the score is the cosine."""

    context: nn.Linear
    entity: nn.Linear

    @torch.inference_mode()
    def scores(
        self, contexts_BP: NDArray[np.float32], entities_BDQ: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Cosines [B, D] of each context with D entities of its own."""
        ours_BW = _project(self.context, torch.from_numpy(contexts_BP))
        theirs_BDW = _project(self.entity, torch.from_numpy(entities_BDQ))
        cosines: NDArray[np.float32] = (theirs_BDW @ ours_BW[..., None])[..., 0].numpy()
        return cosines


def fit_towers(
    contexts_MP: NDArray[np.float32],
    golds_MQ: NDArray[np.float32],
    gold_M: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> TwoTowers:
    """Fits both projections to pairs of a context and its gold entity.

    Loss: cross entropy both ways, as CLIP is trained. An entity is compared only with the gold entities of
    the other mentions in the batch. What is never a gold entity in train can't be learned to be wrong: in
    some benchmarks every entity is gold exactly once, and those of valid and test would all be disliked.

    Args:
        contexts_MP: embeddings; golds_MQ: embeddings and topics of the mentions' gold entities, zeros where
            one is absent. Both with a mean square of 1.
        gold_M: which entities those are; rows: the mentions to learn from.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        towers = TwoTowers(
            nn.Linear(contexts_MP.shape[1], WIDTH), nn.Linear(golds_MQ.shape[1], WIDTH)
        )
        contexts, golds = torch.from_numpy(contexts_MP), torch.from_numpy(golds_MQ)
        gold, batches = torch.from_numpy(gold_M), _batches(torch.from_numpy(rows))
        num_steps = max(LEAST_STEPS, EPOCHS * len(rows) // BATCH)
        parameters = [*towers.context.parameters(), *towers.entity.parameters()]
        optimiser = AdamW([ParameterGroup(parameters, WEIGHT_DECAY)])
        for step in range(num_steps):
            batch = next(batches)
            loss = _loss(towers, contexts[batch], golds[batch], gold[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step(LEARNING_RATE * (1 - step / num_steps))
    return towers


class ContextFeatures:
    """How well an entity fits a mention's context with the mention hidden.

    Args:
        contexts_MP: embeddings of the mentions' contexts.
        entities: gives the embeddings of the entities at some positions.
        towers: of which those at `towers_M` score a mention.
    """

    names = ("context without the mention",)

    def __init__(
        self,
        contexts_MP: NDArray[np.float32],
        entities: Rows,
        towers: Sequence[TwoTowers],
        towers_M: NDArray[np.int64],
    ) -> None:
        self._contexts, self._entities = contexts_MP, entities
        self._towers, self._towers_of = towers, towers_M

    @classmethod
    def fit(
        cls,
        contexts_MP: NDArray[np.float32],
        entities: Rows,
        gold_M: NDArray[np.int64],
        num_train: int,
    ) -> ContextFeatures:
        """Fits towers to train mentions, which stand first.

        A train mention is scored by towers that have not learned from it, any other by `final`.

        Args:
            gold_M: positions of the mentions' gold entities.
            num_train: how many train mentions there are, at least `FOLDS`.
        """
        train = np.arange(num_train)
        golds_MQ = entities(gold_M[:num_train])
        folds = [train[train % FOLDS != fold] for fold in range(FOLDS)]
        towers = [fit_towers(contexts_MP, golds_MQ, gold_M, rows) for rows in [*folds, train]]
        every = np.arange(len(contexts_MP))
        return cls(contexts_MP, entities, towers, np.where(every < num_train, every % FOLDS, FOLDS))

    @property
    def final(self) -> TwoTowers:
        """The towers that learned from all train mentions."""
        return self._towers[-1]

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """The feature [B, D, 1] of pairs."""
        scores = np.empty(pairs.entities_BD.shape, dtype=np.float32)
        which = self._towers_of[pairs.rows]
        for number in np.unique(which):
            at = which == number
            scores[at] = self._towers[number].scores(
                self._contexts[pairs.rows[at]], self._entities(pairs.entities_BD[at])
            )
        return scores[..., None]


def _project(tower: nn.Linear, values: Tensor) -> Tensor:
    return functional.normalize(tower(values), dim=-1)


def _loss(towers: TwoTowers, contexts: Tensor, entities: Tensor, gold: Tensor) -> Tensor:
    ours = _project(towers.context, functional.dropout(contexts, DROPOUT))
    theirs = _project(towers.entity, functional.dropout(entities, DROPOUT))
    same = gold[:, None] == gold  # of two mentions of one entity neither is the other's negative
    same.fill_diagonal_(False)
    logits = (ours @ theirs.T / TEMPERATURE).masked_fill(same, -torch.inf)
    target = torch.arange(len(logits))
    both = functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)
    return both / 2


def _batches(rows: Tensor) -> Iterator[Tensor]:
    """Batches of equal size for ever, each epoch in another order."""
    size = min(BATCH, len(rows))
    while True:
        order = rows[torch.randperm(len(rows))]
        yield from (order[start : start + size] for start in range(0, len(rows) - size + 1, size))
