"""What entities' attributes are about, in a few dimensions: latent semantic analysis of their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD

from mmoe.baselines.cosine import Vectors
from mmoe.names import name_tokens
from mmoe.reranking.terms import Terms

TOPICS = 300
LEAST_WORDS = 2
SEED = 43


@dataclass(frozen=True)
class Topics:
    """Directions in which the TF-IDF vectors of attributes differ most.

    An encoder reads attributes behind the name, and its embedding is mostly the name's.

    Attributes:
        terms: words that some attributes share and others don't.
        directions_KV: at most `TOPICS` of them.
    Source: Deerwester et al., Indexing by latent semantic analysis (1990).
    """

    terms: Terms
    directions_KV: NDArray[np.float32]

    @classmethod
    def fit(cls, attributes: Sequence[str]) -> Topics | None:
        """None where hardly any word stands in some attributes and not in all."""
        every = Terms.fit(name_tokens, attributes)
        counts_V = np.bincount(every.counts(attributes).indices, minlength=len(every))
        (shared,) = np.nonzero((counts_V > 1) & (counts_V < len(attributes)))
        if len(shared) < LEAST_WORDS:
            return None
        words = tuple(every.terms[i] for i in shared)
        terms = replace(every, terms=words, idf_V=every.idf_V[shared])
        reduced = TruncatedSVD(min(TOPICS, len(words)), random_state=SEED)
        reduced.fit(terms.unit_tf_idf(attributes))
        return cls(terms, reduced.components_.astype(np.float32))

    def of(self, attributes: Sequence[str]) -> Vectors:
        """One vector an entity; absent for one without any of the words."""
        weights = self.terms.unit_tf_idf(attributes)
        found = np.asarray(weights @ self.directions_KV.T, dtype=np.float32)
        return Vectors(found, np.diff(weights.indptr) > 0)
