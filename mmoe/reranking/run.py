"""Two-stage linking of a data set: the combiners are fitted, and the test mentions' shortlists reranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.run import FeatureParts, Records
from mmoe.errors import DataError
from mmoe.evaluation.estimates import reciprocals
from mmoe.evaluation.ranks import Ranks
from mmoe.records import Mention
from mmoe.reranking.combiner import Combiner
from mmoe.reranking.families import Family, PairFeatures, features_of
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.shortlists import Shortlists, make_shortlists

MOST_MENTIONS = 4000  # train mentions a combiner is fitted on; its few dozen weights need no more
FOLDS = 5
RIDGE_WITH_MATCHER = 1e-3  # there are fewer validation mentions


@dataclass(frozen=True)
class Reranked:
    """What two-stage linking came to.

    Attributes:
        ranks: of the test mentions' gold entities, by system: the order of the shortlist, the list
            reranked by frozen features, and by those and the matcher; the better of the two on
            validation stands last.
        recall: share of the test mentions whose list holds the gold entity, in percent.
        valid_mrr: of the validation mentions, by reranked system; what learned from them is measured in
            folds.
        combiners: by reranked system.
    """

    ranks: dict[str, Ranks]
    recall: float
    valid_mrr: dict[str, float]
    combiners: dict[str, Combiner]


ORDER = "shortlist"
SIMILARITIES = "reranked"
WITH_MATCHER = "reranked with matcher"


def run_reranking(
    records: Records,
    features: FeatureParts,
    depth: int,
    matcher_family: Callable[[Sequence[Mention]], Family] | None = None,
    *,
    use_context: bool = True,
) -> Reranked:
    """Fits the combiners and reranks the test mentions' shortlists.

    Weights of frozen features are fitted on train mentions. A matcher has learned the answers of those, so
    its scores on them are better than on any others: what it adds is fitted on validation mentions.

    Args:
        depth: entities of a shortlist.
        use_context: whether two towers learn which entities a context asks for.
        matcher_family: a trained matcher's features of the mentions given; None leaves it out.
    Raises:
        DataError: if there is no mention to learn from.
    """
    train, valid, test = (records.linkable(split) for split in ("train", "valid", "test"))
    if not train or not valid:
        raise DataError(
            "reranking learns from train and validation mentions whose gold entity is in the knowledge "
            "base, and there are none; set rerank.depth: 0"
        )
    step = max(1, len(train) // MOST_MENTIONS)
    fitted, rest = train[::step], [m for i, m in enumerate(train) if i % step]
    known = PairFeatures(
        *(records, features, [*fitted, *rest, *valid, *test], len(train)), use_context=use_context
    )
    ends = np.cumsum([len(train), len(valid), len(test)]).tolist()
    lists = [
        make_shortlists(known.order, known.gold, range(*bounds), len(records.entities), depth)
        for bounds in [(0, len(fitted)), *pairwise(ends)]
    ]
    values = [known.of(each.pairs) for each in lists]
    first = Combiner.fit(known.names, values[0], lists[0].gold_M)
    scores = [first.scores(each) for each in values]
    found = Reranked(
        ranks={ORDER: lists[2].ranks, SIMILARITIES: lists[2].reranked(scores[2])},
        recall=lists[2].recall,
        valid_mrr={SIMILARITIES: _mrr(lists[1].reranked(scores[1]))},
        combiners={SIMILARITIES: first},
    )
    if matcher_family is None:
        return found
    cosines = [i for i, name in enumerate(known.names) if name.startswith("cosine, ")]
    inputs: list[NDArray[np.float64]] = []
    for shortlists, each, own, mentions in zip(
        lists[1:], values[1:], scores[1:], (valid, test), strict=True
    ):
        family = matcher_family(mentions)
        pairs = Pairs(np.arange(len(mentions)), shortlists.pairs.entities_BD)
        parts = own[..., None], features_of([family], pairs), each[..., cosines]
        inputs.append(np.concatenate(parts, axis=-1))
        names = [SIMILARITIES, *family.names, *(known.names[i] for i in cosines)]
    second = Combiner.fit(names, inputs[0], lists[1].gold_M, RIDGE_WITH_MATCHER)
    found.ranks[WITH_MATCHER] = lists[2].reranked(second.scores(inputs[1]))
    found.valid_mrr[WITH_MATCHER] = _mrr(lists[1].reranked(_in_folds(names, inputs[0], lists[1])))
    found.combiners[WITH_MATCHER] = second
    if found.valid_mrr[WITH_MATCHER] < found.valid_mrr[SIMILARITIES]:
        found.ranks[SIMILARITIES] = found.ranks.pop(SIMILARITIES)  # what does best stands last
    return found


def _in_folds(
    names: Sequence[str], values_MDF: NDArray[np.floating], lists: Shortlists
) -> NDArray[np.float64]:
    """Scores of lists, each by a combiner that was fitted on the other folds."""
    scores = np.empty(values_MDF.shape[:2])
    folds = np.arange(len(values_MDF)) % FOLDS
    for fold in range(FOLDS):
        left, own = folds != fold, folds == fold
        fitted = Combiner.fit(names, values_MDF[left], lists.gold_M[left], RIDGE_WITH_MATCHER)
        scores[own] = fitted.scores(values_MDF[own])
    return scores


def _mrr(ranks: Ranks) -> float:
    return round(float(reciprocals(ranks.pessimistic).mean()), 2)
