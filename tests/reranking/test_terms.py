"""Terms weigh as scikit-learn's TF-IDF does, and new texts leave the weights of the old ones as they are."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from mmoe.names import name_tokens
from mmoe.reranking.terms import Terms

TEXTS = st.lists(
    st.lists(st.sampled_from(["anna", "bo", "of", "?!", "bo's"])).map(" ".join), min_size=1
)


@given(TEXTS, TEXTS)
def test_unit_vectors_are_those_of_a_library(fitted: list[str], texts: list[str]) -> None:
    fitted = [*fitted, "anna"]  # the library wants some term
    library = TfidfVectorizer(analyzer=name_tokens, sublinear_tf=True).fit(fitted)
    terms = Terms.fit(name_tokens, fitted)
    assert list(terms.terms) == list(library.get_feature_names_out())
    found = terms.unit_tf_idf(texts).toarray()
    np.testing.assert_allclose(found, library.transform(texts).toarray(), atol=1e-6)


def test_nothing_fitted_gives_vectors_without_a_column() -> None:
    terms = Terms.fit(name_tokens, ["?!"])
    assert terms.counts(["anna", ""]).shape == (2, 0)
    assert terms.unit_tf_idf(["anna"]).shape == (1, 0)


def test_terms_that_come_later_count_as_unseen_ones() -> None:
    terms = Terms.fit(name_tokens, ["anna", "anna bo", "bo"])
    longer = terms.extended_by(["anna cid", "dan"])
    assert longer.terms == ("anna", "bo", "cid", "dan")
    unseen = math.log(4) + 1
    np.testing.assert_allclose(longer.idf_V, [*terms.idf_V, unseen, unseen])
    texts = ["anna cid cid", "eve dan"]
    np.testing.assert_allclose(terms.totals(texts), longer.totals(texts))
    np.testing.assert_allclose(terms.totals(texts), [terms.idf_V[0] + unseen, 2 * unseen])
    assert terms.extended_by(["bo"]) is terms
