"""Cosine baselines equal a loop over pairs; a missing side is neither for nor against an entity."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.baselines.cosine import CosineTerms, SideVectors, Vectors
from mmoe.baselines.run import cosine_systems, ranks_of
from mmoe.evaluation.ranks import Ranks, count_ranks

Floats = NDArray[np.floating]


def cosine_ranks(terms: list[tuple[Vectors, Vectors]], gold: NDArray[np.int64]) -> Ranks:
    """Ranks by the plain sum of some cosines."""
    named = CosineTerms({str(i): term for i, term in enumerate(terms)})
    weights = np.ones(len(terms))
    found = ranks_of({"sum": lambda of: named.score(of, weights)}, gold)["sum"].whole
    assert found is not None
    return found


def cosine_of(a: Floats, b: Floats) -> float:
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return 0.0 if length == 0 else float(a @ b / length)


def scores_by_pairs(terms: list[tuple[Vectors, Vectors]]) -> NDArray[np.float64]:
    """The sum of cosines; where a side is missing, the mean cosine of the pairs that have both."""
    total = np.zeros((len(terms[0][0].values_NP), len(terms[0][1].values_NP)))
    for mentions, entities in terms:
        table = np.full(total.shape, np.nan)
        for i, a in enumerate(mentions.values_NP.astype(np.float64)):
            for j, b in enumerate(entities.values_NP.astype(np.float64)):
                if mentions.present()[i] and entities.present()[j]:
                    table[i, j] = cosine_of(a, b)
        mean = 0.0 if np.isnan(table).all() else np.nanmean(table)
        total += np.where(np.isnan(table), mean, table)
    return total


@st.composite
def vectors(draw: st.DrawFn, rows: int) -> Vectors:
    """Small integers, so that ties are exact and zero vectors occur."""
    row = st.lists(st.integers(-2, 2), min_size=3, max_size=3)
    values = draw(st.lists(row, min_size=rows, max_size=rows))
    mask = draw(st.none() | st.lists(st.booleans(), min_size=rows, max_size=rows))
    present = None if mask is None else np.array(mask, dtype=bool)
    return Vectors(np.array(values, dtype=np.float16), present)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3), st.data())
@settings(deadline=None, max_examples=60)
def test_it_equals_a_loop_over_pairs(
    num_mentions: int, num_entities: int, num_terms: int, data: st.DataObject
) -> None:
    terms = [
        (data.draw(vectors(num_mentions)), data.draw(vectors(num_entities)))
        for _ in range(num_terms)
    ]
    gold = np.array([data.draw(st.integers(0, num_entities - 1)) for _ in range(num_mentions)])
    scores = scores_by_pairs(terms)
    found, wanted = cosine_ranks(terms, gold), count_ranks(scores, gold)
    for i, row in enumerate(scores):
        others = np.abs(row - row[gold[i]])
        # Rows that cancel to nothing, and scores that differ by the tolerance, are for rounding to decide.
        if np.abs(row).max() > 0.2 and not ((others > 1e-7) & (others < 1e-4)).any():
            assert found.pessimistic[i] == wanted.pessimistic[i]
            assert found.optimistic[i] == wanted.optimistic[i]


def test_a_missing_image_counts_as_the_mean() -> None:
    mention = Vectors(np.array([[1.0, 0.0]]))
    like, unlike = [1.0, 0.1], [-1.0, 0.1]
    entities = Vectors(np.array([like, [9.0, 9.0], unlike]), np.array([True, False, True]))
    ranks = [
        int(cosine_ranks([(mention, entities)], np.array([g])).pessimistic[0]) for g in range(3)
    ]
    assert ranks == [1, 2, 3]


def test_what_an_absent_row_holds_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    mentions, values = Vectors(rng.normal(size=(4, 3))), rng.normal(size=(6, 3))
    present = np.array([True, False, True, True, False, True])
    other = values.copy()
    other[~present] = 100 * rng.normal(size=(2, 3))
    first, second = (
        cosine_ranks([(mentions, Vectors(v, present))], np.array([0, 1, 2, 4]))
        for v in (values, other)
    )
    assert first.pessimistic.tolist() == second.pessimistic.tolist()


def test_length_does_not_matter_and_float16_does_not_overflow() -> None:
    values = np.array([[60000, 60000, 0], [0, 60000, 60000]], dtype=np.float16)
    mentions = Vectors(values[:1])
    ranks = cosine_ranks([(mentions, Vectors(values))], np.array([0]))
    assert ranks.pessimistic.tolist() == [1]


def test_a_text_only_encoder_has_the_systems_that_need_no_image() -> None:
    some = Vectors(np.eye(3))
    text_only = SideVectors(some, some, None)
    every = cosine_systems(
        CosineTerms.of(SideVectors(some, some, some), SideVectors(some, some, some))
    )
    assert list(cosine_systems(CosineTerms.of(text_only, text_only))) == list(every)[:3]
    assert list(every)[-2:] == ["CLIP zero-shot", "sum of frozen cosines"]
    # Texts with texts and images with images, as the papers compare them: two cosines of 1.
    assert every["CLIP zero-shot"](slice(None))[0].tolist() == [2, 0, 0]
