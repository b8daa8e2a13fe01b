"""Exact ranks and exact best entities of every mention, over the whole knowledge base.

`bounds` settles almost every pair from the bounds alone: an entity whose upper bound lies below the gold's
score cannot outrank it. Only the pairs that the bounds leave open get the fine part of the score.
`brute` scores every pair and is the oracle.

Scores that are at most the mention's margin apart are a tie. The margin is a function of the mention and the
whole index alone (1e-5 of its largest |bound|), fixed before anything is counted, so that no engine, batch or
chunk of entities moves it; equal entities stand in the order of the knowledge base.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.errors import TrainingError
from mmoe.evaluation.ranks import TIE_TOLERANCE, Ranks
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranked import BestEntities, MentionRanks, Scores
from mmoe.linking.sides import MENTION_BATCH
from mmoe.model.encoded import EncodedMentions, part, select
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import OVERALL

BRUTE_ENTITIES = 512  # entities scored at a time by the brute-force engine
PAIRS = 128  # pairs scored at a time otherwise
MANY = 7  # pairs of one mention from which on it is scored alone


@torch.inference_mode()
def rank_mentions(
    index: EntityIndex,
    mentions: Iterable[SideFeatures],
    gold: Tensor,
    *,
    engine: str = "bounds",
    top_n: int = 0,
    candidates: Sequence[NDArray[np.int64]] | None = None,
) -> MentionRanks:
    """Ranks the gold entity of every mention among all entities of the index.

    Args:
        mentions: batches of features, in the order of `gold`.
        gold: int64 [M], position of each mention's gold entity.
        engine: bounds or brute; both are exact.
        top_n: how many best entities to return; 0 for none.
        candidates: of each mention, positions of entities; None leaves `among` out.
    Raises:
        TrainingError: if a score is not finite; comparisons with it would put the gold entity first.
    """
    names, columns = (*index.matcher.unit_names, OVERALL), min(top_n, len(index))
    parts = [MentionRanks.none(names, columns, has_candidates=candidates is not None)]
    start = 0
    for batch in _batches(index, mentions, engine):
        rows = slice(start, start + len(batch))
        gold_B = gold[rows].to(index.device)
        own = batch.exact(torch.arange(len(batch), device=index.device), gold_B)
        ranks, num_scored = batch.count(own[OVERALL], batch.others(gold_B))
        among = None
        if candidates is not None:
            among = batch.count_among(gold_B, own[OVERALL], candidates[rows])
        best = batch.best(top_n)
        parts.append(MentionRanks(ranks, _arrays(own), best, num_scored + best.num_scored, among))
        start = rows.stop
    return MentionRanks.joined(parts)


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
    names, columns = (*index.matcher.unit_names, OVERALL), min(top_n, len(index))
    best = [batch.best(top_n) for batch in _batches(index, mentions, engine)]
    return BestEntities.joined([BestEntities.none(names, (0, columns)), *best])


@torch.inference_mode()
def best_among(
    index: EntityIndex, mention: EncodedMentions, rows: NDArray[np.int64], top_n: int
) -> BestEntities:
    """The exact best of some entities of the index.

    Args:
        mention: one.
        rows: positions of the entities, ascending, as many as top_n or more.
    Raises:
        TrainingError: if a score is not finite.
    """
    low_1n, high_1n = index.tight_bounds(mention, torch.from_numpy(rows).to(index.device))
    _check_finite(low_1n, high_1n)
    margin = float(_margin(low_1n, high_1n))
    # One margin for ties with the last of the best, one for rounding.
    to_reach = low_1n[0].topk(top_n).values[-1] - 2 * margin
    rows = rows[(high_1n[0] >= to_reach).cpu().numpy()]
    scores = index.scores(mention, torch.from_numpy(rows).to(index.device))
    _check_finite(scores[OVERALL])
    best = _in_order(scores[OVERALL][0], margin, top_n)
    found = _arrays({name: each_1n[:, best] for name, each_1n in scores.items()})
    return BestEntities(rows[best.cpu().numpy()][None], found, len(rows))


@dataclass(frozen=True)
class _Batch:
    """Some mentions before the index: what is known of every pair, and what counts as a tie.

    Attributes:
        low_BN, high_BN: bounds of the overall score; infinite where every pair is to be scored.
        margin_B: scores that are at most this far apart are a tie.
        every_BN: all scores, of the brute-force engine; None where they are computed for single pairs.
    """

    index: EntityIndex
    encoded: EncodedMentions
    low_BN: Tensor
    high_BN: Tensor
    margin_B: Tensor
    every_BN: dict[str, Tensor] | None

    @classmethod
    def of(cls, index: EntityIndex, encoded: EncodedMentions, engine: str) -> _Batch:
        low_BN, high_BN = index.bounds(encoded)
        _check_finite(low_BN, high_BN)
        margin_B = _margin(low_BN, high_BN)
        every_BN = None
        if engine == "brute":
            every_BN = _every_score(index, encoded)
            low_BN, high_BN = low_BN.fill_(-torch.inf), high_BN.fill_(torch.inf)
        return cls(index, encoded, low_BN, high_BN, margin_B, every_BN)

    def __len__(self) -> int:
        return len(self.margin_B)

    def exact(self, mentions_P: Tensor, entities_P: Tensor) -> dict[str, Tensor]:
        """Exact scores [P] of pairs: one entry a unit, and `overall`."""
        if self.every_BN is not None:
            return {name: each[mentions_P, entities_P] for name, each in self.every_BN.items()}
        # A mention of many pairs is scored alone, with no copy of it for each; the pairs of others together.
        per_mention = mentions_P.bincount(minlength=len(self))
        few_P = (per_mention <= MANY)[mentions_P]
        parts = [
            (at, self._of_pairs(mentions_P[at], entities_P[at]))
            for at in torch.split(torch.where(few_P)[0], PAIRS)
            if len(at)
        ]
        for row in torch.where(per_mention > MANY)[0].tolist():
            at = torch.where(mentions_P == row)[0]
            parts.append((at, self._of_mention(row, entities_P[at])))
        order = torch.cat([at for at, _ in parts]).argsort()
        scores = {
            name: torch.cat([found[name] for _, found in parts])[order] for name in parts[0][1]
        }
        _check_finite(scores[OVERALL])
        return scores

    def _of_pairs(self, mentions_P: Tensor, entities_P: Tensor) -> dict[str, Tensor]:
        """Scores of single pairs."""
        pairs = select(self.encoded, mentions_P), select(self.index.entities, entities_P)
        own = self.index.matcher.scores_of_own(*pairs)
        return {name: each_P1[:, 0] for name, each_P1 in own.items()}

    def _of_mention(self, row: int, entities_P: Tensor) -> dict[str, Tensor]:
        """Scores of one mention with many entities."""
        own = self.index.scores(part(self.encoded, row, row + 1), entities_P)
        return {name: each_1P[0] for name, each_1P in own.items()}

    def tight(self, is_open_BN: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The open pairs [P], mentions and entities, with the tight bounds of their scores."""
        mentions_P, entities_P = torch.where(is_open_BN)
        if self.every_BN is not None:
            return mentions_P, entities_P, self.low_BN[is_open_BN], self.high_BN[is_open_BN]
        low = [self.low_BN.new_empty(0)]
        high = [self.high_BN.new_empty(0)]
        counts = mentions_P.bincount(minlength=len(self)).tolist()
        for row, own in enumerate(torch.split(entities_P, counts)):
            if len(own):
                bounds = self.index.tight_bounds(part(self.encoded, row, row + 1), own)
                low.append(bounds[0][0])
                high.append(bounds[1][0])
        return mentions_P, entities_P, torch.cat(low), torch.cat(high)

    def others(self, gold_B: Tensor) -> Tensor:
        """bool [B, N]: all entities but the gold one."""
        others_BN = torch.ones_like(self.low_BN, dtype=torch.bool)
        return others_BN.scatter_(1, gold_B[:, None], value=False)

    def count(self, gold_scores_B: Tensor, others_BN: Tensor) -> tuple[Ranks, int]:
        """Ranks of the gold entities among the others, and how many pairs they cost."""
        # Beside the margin, the bounds and the exact score may differ as much by rounding.
        slack_B = 2 * self.margin_B
        least_B, most_B = gold_scores_B - slack_B, gold_scores_B + slack_B
        settled = others_BN & (self.low_BN > most_B[:, None])
        is_open = others_BN & ~settled & (self.high_BN >= least_B[:, None])
        mentions_P, entities_P, low_P, high_P = self.tight(is_open)
        above = low_P > most_B[mentions_P]
        worst = best = 1 + settled.sum(dim=1) + _count_by_mention(above, mentions_P, len(self))
        left = ~above & (high_P >= least_B[mentions_P])
        mentions_P, entities_P = mentions_P[left], entities_P[left]
        if len(mentions_P):
            exact_P = self.exact(mentions_P, entities_P)[OVERALL]
            gold_P, margin_P = gold_scores_B[mentions_P], self.margin_B[mentions_P]
            tied = _count_by_mention(exact_P >= gold_P - margin_P, mentions_P, len(self))
            beaten = _count_by_mention(exact_P > gold_P + margin_P, mentions_P, len(self))
            worst, best = worst + tied, best + beaten
        return Ranks(worst.cpu().numpy(), best.cpu().numpy()), len(mentions_P)

    def count_among(
        self, gold_B: Tensor, gold_scores_B: Tensor, candidates: Sequence[NDArray[np.int64]]
    ) -> Ranks:
        """Ranks of the gold entities where only some entities can be an answer, and all others tie last."""
        allowed_BN = torch.zeros_like(self.low_BN, dtype=torch.bool)
        for row, own in enumerate(candidates):
            allowed_BN[row, torch.from_numpy(own).to(allowed_BN.device)] = True
        has_gold_B = allowed_BN.gather(1, gold_B[:, None])[:, 0].cpu().numpy()
        ranks, _ = self.count(gold_scores_B, allowed_BN & self.others(gold_B))
        num_allowed = np.array([len(own) for own in candidates], dtype=np.int64)
        return Ranks(
            np.where(has_gold_B, ranks.pessimistic, len(self.index)),
            np.where(has_gold_B, ranks.optimistic, 1 + num_allowed),
        )

    def best(self, top_n: int) -> BestEntities:
        """The exact best entities: those with the highest bounds give a score to beat."""
        top_n = min(top_n, len(self.index))
        if not top_n:
            names = (*self.index.matcher.unit_names, OVERALL)
            return BestEntities.none(names, (len(self), 0))
        num_first = min(2 * top_n, len(self.index))
        middle_BN = self.high_BN if self.every_BN is not None else self.low_BN + self.high_BN
        first_Bn = middle_BN.topk(num_first).indices
        each_Bn = torch.arange(len(self), device=first_Bn.device)[:, None].expand_as(first_Bn)
        first = self.exact(each_Bn.flatten(), first_Bn.flatten())
        to_beat_B1 = first[OVERALL].view_as(first_Bn).topk(top_n).values[:, -1:]
        # One margin for ties with the last of the best, one for rounding.
        to_reach_B = to_beat_B1[:, 0] - 2 * self.margin_B
        is_open = self.high_BN >= to_reach_B[:, None]
        is_open[each_Bn, first_Bn] = False
        more_P, entities_P, _, high_P = self.tight(is_open)
        left = high_P >= to_reach_B[more_P]
        more_P, entities_P = more_P[left], entities_P[left]
        scores = first
        if len(more_P):
            more = self.exact(more_P, entities_P)
            scores = {name: torch.cat([first[name], more[name]]) for name in first}
        rows = torch.cat([each_Bn.flatten(), more_P])
        entities = torch.cat([first_Bn.flatten(), entities_P])
        best = torch.stack(
            [self._best_of(i, rows, entities, scores, top_n) for i in range(len(self))]
        )
        found = _arrays({name: value[best] for name, value in scores.items()})
        return BestEntities(entities[best].cpu().numpy(), found, len(rows))

    def _best_of(
        self, i: int, rows: Tensor, entities: Tensor, scores: dict[str, Tensor], top_n: int
    ) -> Tensor:
        """Which pairs are the best of one mention; equal ones in the order of the knowledge base."""
        own = torch.where(rows == i)[0]
        own = own[entities[own].argsort()]
        return own[_in_order(scores[OVERALL][own], float(self.margin_B[i]), top_n)]


def _batches(index: EntityIndex, mentions: Iterable[SideFeatures], engine: str) -> Iterator[_Batch]:
    """Parts of `mentions` that are ranked at a time, however many are encoded together."""
    for features in mentions:
        encoded = index.matcher.encode_mentions(features)
        each = torch.arange(len(features), device=index.device)
        for rows in torch.split(each, MENTION_BATCH):
            some = encoded if len(rows) == len(each) else select(encoded, rows)
            yield _Batch.of(index, some, engine)


def _margin(low_BN: Tensor, high_BN: Tensor) -> Tensor:
    """Scores of a mention that are at most this far apart are a tie, [B]."""
    # The largest |bound|, as the low ones are not above the high ones.
    return TIE_TOLERANCE * torch.maximum(high_BN.amax(dim=1), -low_BN.amin(dim=1))


def _count_by_mention(flags_P: Tensor, mentions_P: Tensor, num_mentions: int) -> Tensor:
    return mentions_P[flags_P].bincount(minlength=num_mentions)


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


def _every_score(index: EntityIndex, mentions: EncodedMentions) -> dict[str, Tensor]:
    chunks = torch.split(torch.arange(len(index), device=index.device), BRUTE_ENTITIES)
    parts = [index.scores(mentions, chunk) for chunk in chunks]
    scores = {name: torch.cat([part[name] for part in parts], dim=1) for name in parts[0]}
    _check_finite(scores[OVERALL])
    return scores


def _check_finite(*scores: Tensor) -> None:
    if not all(bool(torch.isfinite(part).all()) for part in scores):
        raise TrainingError(
            "the matcher's scores are NaN or infinite, so nothing can be ranked by them: its weights "
            "or the features are broken; lower train.learning_rate and train again"
        )


def _arrays(scores: dict[str, Tensor]) -> Scores:
    return {name: value.cpu().numpy().astype(np.float32) for name, value in scores.items()}
