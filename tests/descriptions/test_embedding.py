"""The nearest candidate, held against comparing every pair alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.descriptions.embedding import EmbeddingRanker
from mmoe.descriptions.registry import RankerResources
from mmoe.records import Description, TextInput

from tests.descriptions.rows import candidates, mention

LETTERS = "abcd"


class Letters:
    """An encoder that counts letters of name and body; remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[TextInput]]] = []

    def __call__(self, side: str, rows: Sequence[TextInput]) -> NDArray[np.floating[Any]]:
        self.seen.append((side, list(rows)))
        return np.array([count(f"{row.name} {row.body}") for row in rows], dtype=np.float16)


def count(text: str) -> list[int]:
    return [text.count(letter) for letter in LETTERS]


def ranker_of(encoder: Letters) -> EmbeddingRanker:
    return EmbeddingRanker(RankerResources(embedder=lambda: encoder))


def test_the_nearest_candidate_is_chosen_with_its_cosine() -> None:
    ranker = ranker_of(Letters())
    found = {"m": candidates("m", "a", "aabb", "c", label="_")}
    (record,) = ranker.rank([mention("m", "ab", "Q2", surface_form="_")], found)
    assert (record.qid, record.backend, record.is_gold) == ("Q2", "embedding", True)
    assert record.score == pytest.approx(1.0)


def test_one_candidate_is_chosen_and_nothing_is_embedded() -> None:
    encoder = Letters()
    mentions = [mention("one"), mention("none")]
    found = {"one": candidates("one", "a")}
    assert ranker_of(encoder).rank(mentions, found) == [
        Description("one", "Q1", "a", "embedding", None, 1, None),
        Description("none", None, None, "embedding", None, 0, None),
    ]
    assert encoder.seen == []


def test_equal_candidates_are_embedded_once_and_the_first_wins() -> None:
    encoder = Letters()
    mentions = [mention("m", "a", surface_form="_"), mention("n", "b", surface_form="_")]
    found = {name: candidates(name, "c", "a", "a", label="_") for name in ("m", "n")}
    first, second = ranker_of(encoder).rank(mentions, found)
    assert first.qid == "Q2"
    assert second.qid == "Q1"  # all are at a right angle
    assert [row.body for row in dict(encoder.seen)["candidate"]] == ["c", "a"]
    assert [row.id for row in dict(encoder.seen)["mention"]] == ["m", "n"]


TEXTS = st.text(LETTERS + " ", max_size=6)


@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, max_size=4)), max_size=4))
def test_it_equals_comparing_every_pair_alone(cases: list[tuple[str, list[str]]]) -> None:
    mentions = [
        mention(str(row), context, surface_form="_") for row, (context, _) in enumerate(cases)
    ]
    found = {
        str(row): candidates(str(row), *texts, label="_") for row, (_, texts) in enumerate(cases)
    }
    records = ranker_of(Letters()).rank(mentions, found)
    for (context, texts), record in zip(cases, records, strict=True):
        if len(texts) < 2:
            assert record.score is None
            continue
        said = np.array(count(context))
        cosines = [cosine(said, np.array(count(text))) for text in texts]
        assert record.score == pytest.approx(max(cosines), abs=1e-3)
        assert cosines[int((record.qid or "Q0")[1:]) - 1] == pytest.approx(max(cosines), abs=1e-3)


def cosine(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else 0.0
