"""What the towers read of a side, and what the families are given of a data set's records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmoe.baselines.cosine import SideVectors, Vectors, mean_of
from mmoe.baselines.run import FeatureParts, Records
from mmoe.features.tokens import Tokens
from mmoe.records import Candidate, Entity, Mention
from mmoe.reranking.families import MentionSide, PairFeatures, entity_side_vectors
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.space import EntitySide, fit_space, standardised

draw = np.random.default_rng(1)


def test_vectors_stand_beside_each_other_with_a_mean_square_of_one() -> None:
    wide, narrow = (Vectors(draw.normal(3, size=(50, width))) for width in (8, 4))
    found = standardised([(each, mean_of(each)) for each in (wide, narrow)])
    assert found.shape == (50, 12)
    np.testing.assert_allclose((found**2).mean(axis=1), 1, rtol=1e-5)


def test_what_is_absent_is_zero_and_moves_no_mean() -> None:
    present = np.arange(50) % 5 > 0
    values = draw.normal(3, size=(50, 8))
    some = Vectors(values, present)
    found = standardised([(some, mean_of(some))])
    assert not found[~present].any()
    some = Vectors(values[present])
    alone = standardised([(some, mean_of(some))])
    np.testing.assert_allclose(found[present], alone, rtol=1e-5)


def test_the_mean_may_be_that_of_other_rows() -> None:
    values = draw.normal(3, size=(50, 8))
    every = Vectors(values)
    found = standardised([(every, mean_of(every.take(slice(0, 10))))])
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    centred = unit - unit[:10].mean(axis=0)
    wanted = centred / np.linalg.norm(centred, axis=1, keepdims=True) * np.sqrt(8)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


class OneVector(FeatureParts):
    """Features that tell nothing apart, without tokens and images."""

    def vectors(self, _: str, ids: Sequence[str]) -> SideVectors:
        vectors = Vectors(np.ones((len(ids), 2)))
        return SideVectors(vectors, vectors, None)

    def tokens(self, *_: object) -> dict[str, Tokens]:
        return {}


def test_popularity_is_that_of_the_mentions_own_candidates() -> None:
    entities = [Entity(f"Q{i}", f"name {i}", "", ()) for i in range(4)]
    mentions = [Mention(f"m{i}", f"s{i}", "name", "", None, f"Q{i}", True, "train") for i in (0, 1)]
    found = [("m0", "Q0", 7), ("m0", "Q2", None), ("m1", "Q1", 0), ("m1", "Q9", 5)]
    candidates = [Candidate(m, 0, qid, "name", "", "label", links) for m, qid, links in found]
    records = Records(mentions, entities, candidates, {})
    features = OneVector(Path(), {})
    vectors, tokens = entity_side_vectors(features, entities)
    side = MentionSide.stored(records, features, mentions, use_context=False)
    space = fit_space(entities, vectors, tokens, side.vectors, None)
    known = PairFeatures(EntitySide(space, entities, vectors, tokens), side, None)
    every = Pairs(np.arange(2), np.tile(np.arange(4), (2, 1)))
    popularity = known.of(every)[..., known.names.index("popularity")]
    nan = np.nan
    np.testing.assert_allclose(popularity, [[np.log(8), nan, nan, nan], [nan, 0, nan, nan]])
