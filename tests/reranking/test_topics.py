"""Topics of attributes: the directions in which their words' TF-IDF vectors differ most."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from mmoe.baselines.cosine import Vectors
from mmoe.names import name_tokens
from mmoe.reranking.topics import Topics

ATTRIBUTES = [
    "poet, physician",
    "physician; chemist",
    "chemist poet",
    "",
    "poet alone",
    "unheard-of",
]


def topics_of(attributes: list[str]) -> Vectors:
    fitted = Topics.fit(attributes)
    assert fitted is not None
    return fitted.of(attributes)


def test_few_words_keep_all_their_inner_products() -> None:
    found = topics_of(ATTRIBUTES)
    words = TfidfVectorizer(analyzer=name_tokens, sublinear_tf=True, min_df=2)
    wanted = words.fit_transform(ATTRIBUTES)
    np.testing.assert_allclose(
        found.values_NP @ found.values_NP.T, (wanted @ wanted.T).toarray(), atol=1e-6
    )


def test_entities_without_a_shared_word_have_none() -> None:
    found = topics_of(ATTRIBUTES)
    assert found.present().tolist() == [True, True, True, False, True, False]


@pytest.mark.parametrize(
    "attributes", [[], [""], ["a b", "c d"], ["a b", "a c", "a"], ["a b", "a b"]]
)
def test_hardly_a_word_in_common_gives_none(attributes: list[str]) -> None:
    assert Topics.fit(attributes) is None


def test_the_same_attributes_give_the_same_bytes() -> None:
    draw = np.random.default_rng(1)
    texts = [" ".join(f"w{n}" for n in draw.integers(500, size=8)) for _ in range(900)]
    first, second = topics_of(texts), topics_of(texts)
    assert first.values_NP.shape == (900, 300)
    assert first.values_NP.tobytes() == second.values_NP.tobytes()
