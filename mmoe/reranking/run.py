"""Two-stage linking of a data set: the combiners are fitted, and the test mentions' shortlists reranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.run import FeatureParts, Records
from mmoe.errors import DataError
from mmoe.evaluation.estimates import reciprocals
from mmoe.evaluation.ranks import Ranks
from mmoe.records import Mention
from mmoe.reranking.calibration import Answered, Calibration, measured, taken_out
from mmoe.reranking.combiner import Combiner
from mmoe.reranking.context import FOLDS, ContextFeatures, TwoTowers
from mmoe.reranking.families import (
    Family,
    MentionSide,
    PairFeatures,
    context_inputs,
    entity_side_vectors,
    features_of,
)
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.reranker import (
    SIMILARITIES,
    WITH_MATCHER,
    Reranker,
    second_inputs,
    second_names,
)
from mmoe.reranking.shortlists import Shortlists, make_shortlists
from mmoe.reranking.space import EntitySide, Space, fit_space

MOST_MENTIONS = 4000  # train mentions a combiner is fitted on; its few dozen weights need no more
FITTED_IN = 5  # folds of the validation mentions


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
        calibrated: how good probabilities are on test mentions; None where they could not be fitted.
        reranker: all that it takes to do the same for other mentions, with the combiner of the better of
            both.
    """

    ranks: dict[str, Ranks]
    recall: float
    valid_mrr: dict[str, float]
    combiners: dict[str, Combiner]
    calibrated: dict[str, Any] | None
    reranker: Reranker


ORDER = "shortlist"


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
    its scores on them are better than on any others: what it adds is fitted on validation mentions. Nil
    mentions, of a data set that keeps them, count in the calibration alone.

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
    nil = {i: own for i, split in enumerate(("valid", "test")) if (own := records.nil(split))}
    evaluated = [valid, test, *nil.values()]
    mentions = [*fitted, *rest, *chain.from_iterable(evaluated)]
    known, towers, space = _known(records, features, mentions, len(train), use_context=use_context)
    gold = records.gold_of(mentions)
    ends = np.cumsum([len(train), *map(len, evaluated)]).tolist()
    lists = [
        make_shortlists(known.order, gold, range(*bounds), len(records.entities), depth)
        for bounds in [(0, len(fitted)), *pairwise(ends)]
    ]
    values = [known.of(each.pairs) for each in lists]
    first = Combiner.fit(known.names, values[0], lists[0].gold_M)
    scores = [first.scores(each) for each in values]
    found = Reranked(
        ranks={ORDER: lists[2].ranks, SIMILARITIES: lists[2].reranked(scores[2])},
        recall=lists[2].recall,
        valid_mrr={SIMILARITIES: _mrr(lists[1].reranked(scores[1]))},
        reranker=Reranker(depth, space, towers, first, None, bool(records.candidates), None),
        combiners={SIMILARITIES: first},
        calibrated=None,
    )
    golds = [gold[start:end] for start, end in pairwise(ends[:3])]
    if matcher_family is None:
        return _calibrated(found, lists[1:], golds, scores[1:], list(nil))
    inputs: list[NDArray[np.float64]] = []
    for shortlists, each, firsts, some in zip(
        lists[1:], values[1:], scores[1:], evaluated, strict=True
    ):
        family = matcher_family(some)
        pairs = Pairs(np.arange(len(some)), shortlists.pairs.entities_BD)
        inputs.append(second_inputs(firsts, features_of([family], pairs), each, known.names))
        names = second_names(family.names, known.names)
    second = _second(names, inputs[0], lists[1].gold_M)
    in_folds = _in_folds(names, inputs[0], lists[1])
    with_matcher = [second.scores(each) for each in inputs[1:]]
    found.ranks[WITH_MATCHER] = lists[2].reranked(with_matcher[0])
    found.valid_mrr[WITH_MATCHER] = _mrr(lists[1].reranked(in_folds))
    found.combiners[WITH_MATCHER] = second
    if found.valid_mrr[WITH_MATCHER] < found.valid_mrr[SIMILARITIES]:
        found.ranks[SIMILARITIES] = found.ranks.pop(SIMILARITIES)  # what does best stands last
        return _calibrated(found, lists[1:], golds, scores[1:], list(nil))
    found = replace(found, reranker=replace(found.reranker, with_matcher=second))
    return _calibrated(found, lists[1:], golds, [in_folds, *with_matcher], list(nil))


def _calibrated(
    found: Reranked,
    lists: Sequence[Shortlists],
    golds: Sequence[NDArray[np.int64]],
    scores: Sequence[NDArray[np.float64]],
    nil: Sequence[int],
) -> Reranked:
    """With probabilities, fitted to validation mentions and measured on test mentions.

    Args:
        golds: of the validation mentions, and of the test mentions.
        lists, scores: of the same, the scores not fitted to those of validation; then of nil mentions.
        nil: where these belong, 0 to validation and 1 to test.
    """
    answered = [
        Answered(own, each.gold_M, np.zeros(len(own), dtype=bool)).without(
            each.pairs.entities_BD, gold, out
        )
        for own, each, gold, out in zip(
            scores[:2], lists[:2], golds, taken_out(*golds), strict=True
        )
    ]
    for side, own in zip(nil, scores[2:], strict=True):
        answered[side] = answered[side].and_those(Answered.nil(own))
    calibration = Calibration.fit(answered[0])
    if calibration is None:
        return found
    reranker = replace(found.reranker, calibration=calibration)
    return replace(found, reranker=reranker, calibrated=measured(calibration, answered[1]))


def _known(
    records: Records,
    features: FeatureParts,
    mentions: Sequence[Mention],
    num_train: int,
    *,
    use_context: bool,
) -> tuple[PairFeatures, TwoTowers | None, Space]:
    """The features of all mentions, train mentions first, and what they were computed with."""
    use_context = use_context and num_train >= FOLDS
    vectors, tokens = entity_side_vectors(features, records.entities)
    side = MentionSide.stored(records, features, mentions, use_context=use_context)
    train = slice(0, num_train)
    contexts = None if side.contexts is None else side.contexts.take(train)
    space = fit_space(records.entities, vectors, tokens, side.vectors.take(train), contexts)
    entities = EntitySide(space, records.entities, vectors, tokens)
    context, inputs = None, context_inputs(entities, side)
    if inputs is not None:
        gold = records.gold_of(mentions)
        context = ContextFeatures.fit(inputs, entities.about, gold, num_train)
    towers = None if context is None else context.final
    return PairFeatures(entities, side, context), towers, space


def _second(
    names: Sequence[str], values_MDF: NDArray[np.floating], gold_M: NDArray[np.int64]
) -> Combiner:
    """What improves the first combiner's score by the matcher's.

    The weights of standardised features have a normal prior around that score alone, of variance 1: it
    decides where mentions are few, and hardly counts where there are thousands.
    """
    ridge = 0.5 / max(1, len(gold_M))
    return Combiner.fit(names, values_MDF, gold_M, ridge, improves_first=True)


def _in_folds(
    names: Sequence[str], values_MDF: NDArray[np.floating], lists: Shortlists
) -> NDArray[np.float64]:
    """Scores of lists, each by a combiner that was fitted on the other folds."""
    scores = np.empty(values_MDF.shape[:2])
    folds = np.arange(len(values_MDF)) % FITTED_IN
    for fold in range(FITTED_IN):
        left, own = folds != fold, folds == fold
        fitted = _second(names, values_MDF[left], lists.gold_M[left])
        scores[own] = fitted.scores(values_MDF[own])
    return scores


def _mrr(ranks: Ranks) -> float:
    return round(float(reciprocals(ranks.pessimistic).mean()), 2)
