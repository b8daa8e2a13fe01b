"""Exact ranks and exact best entities of every mention, over the whole knowledge base.

`bounds` settles almost every pair from the bounds alone: an entity whose upper bound lies below the gold's
score cannot outrank it. Only the pairs that the bounds leave open get the fine part of the score.
`brute` scores every pair and is the oracle.

Scores that are at most the mention's margin apart are a tie. The margin is a function of the mention and the
whole index alone (1e-5 of its largest |bound|), fixed before anything is counted, so that no engine, batch or
chunk of entities moves it; equal entities stand in the order of the knowledge base.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.errors import TrainingError
from mmoe.evaluation.ranks import TIE_TOLERANCE, Ranks
from mmoe.linking.index import EntityIndex
from mmoe.model.encoded import EncodedMentions, num_rows, select
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import OVERALL, Matcher

BRUTE_ENTITIES = 4096  # entities scored at a time by the brute-force engine
Scores = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class BestEntities:
    """The best entities of each mention.

    Attributes:
        top_Bn: int64, positions of the best entities, best first.
        scores_Bn: their exact scores: one entry a unit, and `overall`.
        num_scored: pairs that got the fine part of the score.
    """

    top_Bn: NDArray[np.int64]
    scores_Bn: Scores
    num_scored: int


@dataclass(frozen=True)
class MentionRanks:
    """Ranks of the gold entities and, if asked for, the best entities of each mention.

    Attributes:
        gold_scores_B: the gold entity's exact scores: one entry a unit, and `overall`.
        best: without columns where none were asked for.
        num_scored: pairs that got the fine part of the score.
    """

    ranks: Ranks
    gold_scores_B: Scores
    best: BestEntities
    num_scored: int


def rank_over_kb(
    matcher: Matcher,
    entities: Iterable[SideFeatures],
    mentions: Iterable[SideFeatures],
    gold: Tensor,
    *,
    engine: str = "bounds",
    top_n: int = 0,
) -> MentionRanks:
    """Encodes the whole knowledge base and ranks every mention's gold entity in it.

    Args:
        entities, mentions: batches of features in order; see `rank_mentions` for the rest.
    """
    index = EntityIndex.build(matcher, entities)
    return rank_mentions(index, mentions, gold, engine=engine, top_n=top_n)


@torch.inference_mode()
def rank_mentions(
    index: EntityIndex,
    mentions: Iterable[SideFeatures],
    gold: Tensor,
    *,
    engine: str = "bounds",
    top_n: int = 0,
) -> MentionRanks:
    """Ranks the gold entity of every mention among all entities of the index.

    Args:
        mentions: batches of features, in the order of `gold`.
        gold: int64 [M], position of each mention's gold entity.
        engine: bounds or brute; both are exact.
        top_n: how many best entities to return; 0 for none.
    Raises:
        TrainingError: if a score is not finite; comparisons with it would put the gold entity first.
    """
    counts: list[tuple[int, int]] = []
    gold_scores: list[dict[str, Tensor]] = []
    best: list[_Best] = []
    num_scored = 0
    for mention in _mentions(index, mentions, engine):
        target = int(gold[len(counts)])
        own = index.scores(mention.encoded, torch.tensor([target], device=index.device))
        _check_finite(own[OVERALL])
        pessimistic, optimistic, scored = mention.count(target, own[OVERALL][0, 0])
        counts.append((pessimistic, optimistic))
        gold_scores.append({name: value[0] for name, value in own.items()})
        best.append(mention.best(top_n))
        num_scored += scored
    ranks = np.array(counts, dtype=np.int64).reshape(-1, 2)
    names = (*index.matcher.unit_names, OVERALL)
    found = _collect(best, names, min(top_n, len(index)))
    return MentionRanks(
        Ranks(ranks[:, 0], ranks[:, 1]),
        {name: _stack([row[name] for row in gold_scores], 1)[:, 0] for name in names},
        found,
        num_scored + found.num_scored,
    )


@torch.inference_mode()
def best_entities(
    index: EntityIndex, mentions: Iterable[SideFeatures], top_n: int, *, engine: str = "bounds"
) -> BestEntities:
    """The exact best entities of every mention; needs no gold entity.

    Args:
        mentions: batches of features.
        top_n: how many; all entities where there are fewer.
        engine: bounds or brute; both are exact.
    Raises:
        TrainingError: if a score is not finite.
    """
    best = [mention.best(top_n) for mention in _mentions(index, mentions, engine)]
    return _collect(best, (*index.matcher.unit_names, OVERALL), min(top_n, len(index)))


@dataclass(frozen=True)
class _Best:
    top: Tensor
    scores: dict[str, Tensor]
    num_scored: int


@dataclass(frozen=True)
class _Mention:
    """One mention before the index: its bounds, and what counts as a tie."""

    index: EntityIndex
    encoded: EncodedMentions
    low_N: Tensor
    high_N: Tensor
    margin: Tensor
    all_scores_N: Tensor | None  # of the brute-force engine

    def count(self, gold: int, gold_score: Tensor) -> tuple[int, int, int]:
        """Pessimistic and optimistic rank of the gold entity, and how many pairs were scored for it."""
        others = torch.ones_like(self.low_N, dtype=torch.bool)
        others[gold] = False
        if self.all_scores_N is not None:
            above, exact, num_scored = 0, self.all_scores_N[others], len(others)
            gold_score = self.all_scores_N[gold]
        else:
            # Beside the margin, the bounds and the exact score may differ as much by rounding.
            settled = self.low_N > gold_score + 2 * self.margin
            is_open = others & ~settled & (self.high_N >= gold_score - 2 * self.margin)
            above, exact = int((settled & others).sum()), self._exact(torch.where(is_open)[0])
            num_scored = len(exact)
        pessimistic = 1 + above + int((exact >= gold_score - self.margin).sum())
        optimistic = 1 + above + int((exact > gold_score + self.margin).sum())
        return pessimistic, optimistic, num_scored

    def best(self, top_n: int) -> _Best:
        """The exact best entities: those with the highest upper bounds give a score to beat."""
        top_n = min(top_n, len(self.index))
        if top_n == 0:
            return _Best(torch.empty(0, dtype=torch.int64), {}, 0)
        if self.all_scores_N is not None:
            contenders, num_scored = torch.arange(len(self.index), device=self.index.device), 0
            exact = self.all_scores_N
        else:
            first = self.high_N.topk(min(2 * top_n, len(self.index))).indices
            to_beat = self._exact(first).topk(top_n).values[-1]
            # One margin for ties with the last of the best, one for rounding.
            is_open = self.high_N >= to_beat - 2 * self.margin
            is_open[first] = True
            contenders = torch.where(is_open)[0]
            exact, num_scored = self._exact(contenders), len(first) + int(is_open.sum())
        top = contenders[_in_order(exact, float(self.margin), top_n)]
        scores = {name: values[0] for name, values in self.index.scores(self.encoded, top).items()}
        return _Best(top, scores, num_scored)

    def _exact(self, rows: Tensor) -> Tensor:
        scores = self.index.scores(self.encoded, rows)[OVERALL][0]
        _check_finite(scores)
        return scores


def _in_order(scores: Tensor, margin: float, top_n: int) -> Tensor:
    """Positions of the best scores, best first; of scores that tie with the best left, the earlier first."""
    order = scores.sort(descending=True, stable=True).indices
    values, start = scores[order], 0
    ordered: list[Tensor] = []
    while start < min(top_n, len(order)):
        end = start + int((values[start:] >= values[start] - margin).sum())
        ordered.append(order[start:end].sort().values)
        start = end
    return torch.cat(ordered)[:top_n]


def _mentions(
    index: EntityIndex, batches: Iterable[SideFeatures], engine: str
) -> Iterator[_Mention]:
    for batch in batches:
        encoded = index.matcher.encode_mentions(batch)
        low_BN, high_BN = index.bounds(encoded)
        _check_finite(low_BN, high_BN)
        margin_B = TIE_TOLERANCE * torch.maximum(low_BN.abs(), high_BN.abs()).amax(dim=1)
        for i in range(num_rows(encoded)):
            one = select(encoded, torch.tensor([i], device=index.device))
            scores = _every_score(index, one) if engine == "brute" else None
            yield _Mention(index, one, low_BN[i], high_BN[i], margin_B[i], scores)


def _every_score(index: EntityIndex, mention: EncodedMentions) -> Tensor:
    everything = torch.arange(len(index), device=index.device)
    chunks = torch.split(everything, BRUTE_ENTITIES)
    scores = torch.cat([index.scores(mention, chunk)[OVERALL][0] for chunk in chunks])
    _check_finite(scores)
    return scores


def _check_finite(*scores: Tensor) -> None:
    if not all(bool(torch.isfinite(part).all()) for part in scores):
        raise TrainingError(
            "the matcher's scores are NaN or infinite, so nothing can be ranked by them: its weights "
            "or the features are broken; lower train.learning_rate and train again"
        )


def _collect(best: list[_Best], names: tuple[str, ...], top_n: int) -> BestEntities:
    top = torch.stack([row.top for row in best]) if best else torch.empty(0, top_n)
    scores = {
        name: _stack([row.scores[name] for row in best], top_n) if top_n else _stack([], 0)
        for name in names
    }
    return BestEntities(
        top.cpu().numpy().astype(np.int64), scores, sum(row.num_scored for row in best)
    )


def _stack(rows: list[Tensor], width: int) -> NDArray[np.float32]:
    if not rows:
        return np.empty((0, width), dtype=np.float32)
    return torch.stack(rows).cpu().numpy().astype(np.float32)
