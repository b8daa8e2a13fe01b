"""Exact ranks and exact best entities of every mention, over the whole knowledge base.

`bounds` settles almost every pair with one matrix product: an entity whose upper bound lies below the
gold's score cannot outrank it. Only the pairs that the bounds leave open get the attention term.
`brute` scores every pair and is the oracle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.errors import TrainingError
from mmoe.evaluation.ranks import TIE_TOLERANCE, Ranks
from mmoe.linking.index import EntityIndex
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import Matcher
from mmoe.model.sides import EncodedMentions

BRUTE_ENTITIES = 4096  # entities scored at a time by the brute-force engine


@dataclass(frozen=True)
class MentionRanks:
    """Ranks of the gold entities and, if asked for, the best entities of each mention.

    Attributes:
        top_Bn: int64, positions of the best entities, best first.
        unit_scores_Bn: the units' exact scores of those.
        num_scored: pairs that got the attention term.
    """

    ranks: Ranks
    top_Bn: NDArray[np.int64]
    unit_scores_Bn: dict[str, NDArray[np.float32]]
    num_scored: int


@dataclass(frozen=True)
class _Row:
    """One mention's result."""

    pessimistic: int
    optimistic: int
    top: Tensor
    unit_scores: dict[str, Tensor]
    num_scored: int


@torch.inference_mode()
def rank_mentions(
    matcher: Matcher,
    index: EntityIndex,
    batches: Iterable[SideFeatures],
    gold: Tensor,
    *,
    engine: str = "bounds",
    top_n: int = 0,
) -> MentionRanks:
    """Ranks the gold entity of every mention among all entities of the index.

    Args:
        batches: features of the mentions, in the order of `gold`.
        gold: int64 [M], position of each mention's gold entity.
        engine: bounds or brute; both are exact.
        top_n: how many best entities to return; 0 for none.
    Raises:
        TrainingError: if a score is not finite; comparisons with it would put the gold entity first.
    """
    rows: list[_Row] = []
    for batch in batches:
        sides = matcher.encode_mentions(batch)
        bounds = index.bounds(sides) if engine == "bounds" else None
        for i in range(len(batch)):
            row = torch.tensor([i], device=index.inner_NI.device)
            one = {name: side.select(row) for name, side in sides.items()}
            target = int(gold[len(rows)])
            if bounds is None:
                rows.append(_rank_brute(index, one, target, top_n))
            else:
                low, high = bounds[0][i], bounds[1][i]
                rows.append(_rank_bounded(index, one, low, high, target, top_n))
    return _collect(rows, matcher.unit_names, min(top_n, len(index)))


def _rank_bounded(
    index: EntityIndex,
    mention: dict[str, EncodedMentions],
    low: Tensor,
    high: Tensor,
    gold: int,
    top_n: int,
) -> _Row:
    gold_score = index.scores(mention, torch.tensor([gold], device=low.device))[0, 0]
    others = torch.ones_like(low, dtype=torch.bool)
    others[gold] = False
    slack = _slack(low, high)
    above = (low > gold_score + slack) & others
    below = high < gold_score - slack
    unsettled = torch.where(others & ~above & ~below)[0]
    exact = index.scores(mention, unsettled)[0]
    pessimistic, optimistic = _count(exact, gold_score)
    settled = 1 + int(above.sum())
    top, num_best = _best_first(index, mention, high, top_n, slack)
    return _Row(
        settled + pessimistic,
        settled + optimistic,
        top,
        _top_scores(index, mention, top),
        len(unsettled) + num_best,
    )


def _rank_brute(
    index: EntityIndex, mention: dict[str, EncodedMentions], gold: int, top_n: int
) -> _Row:
    everything = torch.arange(len(index), device=index.inner_NI.device)
    scores = torch.cat(
        [index.scores(mention, chunk)[0] for chunk in torch.split(everything, BRUTE_ENTITIES)]
    )
    others = torch.ones_like(scores, dtype=torch.bool)
    others[gold] = False
    pessimistic, optimistic = _count(scores[others], scores[gold])
    top = scores.sort(descending=True, stable=True).indices[:top_n]
    return _Row(1 + pessimistic, 1 + optimistic, top, _top_scores(index, mention, top), len(index))


def _count(scores: Tensor, gold_score: Tensor) -> tuple[int, int]:
    """How many scores are at least the gold's, and how many are above it, ties by tolerance."""
    _check_finite(scores, gold_score)
    margin = TIE_TOLERANCE * torch.maximum(scores.abs(), gold_score.abs())
    return int((scores >= gold_score - margin).sum()), int((scores > gold_score + margin).sum())


def _check_finite(*scores: Tensor) -> None:
    if not all(bool(torch.isfinite(part).all()) for part in scores):
        raise TrainingError(
            "the matcher's scores are NaN or infinite, so nothing can be ranked by them: its weights "
            "or the features are broken; lower train.learning_rate and train again"
        )


def _slack(low: Tensor, high: Tensor) -> Tensor:
    """How far a bound may lie on the wrong side of an exact score by rounding, or by a tie.

    Terms may cancel to a score of almost nothing, whose own size then says nothing of the rounding in it:
    the largest bound of the mention does.
    """
    return 2 * TIE_TOLERANCE * torch.maximum(low.abs().max(), high.abs().max())


def _best_first(
    index: EntityIndex, mention: dict[str, EncodedMentions], high: Tensor, top_n: int, slack: Tensor
) -> tuple[Tensor, int]:
    """The exact best entities: those with the highest upper bounds give a score to beat.

    Returns:
        Positions, best first (the earlier entity first where scores are equal), and how many pairs
        got the attention term.
    """
    if top_n == 0:
        return torch.empty(0, dtype=torch.int64, device=high.device), 0
    top_n = min(top_n, len(index))
    first = high.topk(min(2 * top_n, len(index))).indices
    to_beat = index.scores(mention, first)[0].topk(top_n).values[-1]
    is_open = high >= to_beat - slack
    is_open[first] = True  # enough of them, whatever rounding does
    contenders = torch.where(is_open)[0]
    scores = index.scores(mention, contenders)[0]
    order = scores.sort(descending=True, stable=True).indices[:top_n]
    return contenders[order], len(first) + len(contenders)


def _top_scores(
    index: EntityIndex, mention: dict[str, EncodedMentions], top: Tensor
) -> dict[str, Tensor]:
    return {name: scores[0] for name, scores in index.unit_scores(mention, top).items()}


def _collect(rows: list[_Row], units: tuple[str, ...], top_n: int) -> MentionRanks:
    top = torch.stack([row.top for row in rows]) if rows else torch.empty(0, top_n)
    return MentionRanks(
        Ranks(
            np.array([row.pessimistic for row in rows], dtype=np.int64),
            np.array([row.optimistic for row in rows], dtype=np.int64),
        ),
        top.cpu().numpy().astype(np.int64),
        {
            name: np.array([row.unit_scores[name].cpu().numpy() for row in rows], dtype=np.float32)
            for name in units
        },
        sum(row.num_scored for row in rows),
    )


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
    return rank_mentions(matcher, index, mentions, gold, engine=engine, top_n=top_n)
