"""What entities' attributes are about, in a few dimensions: latent semantic analysis of their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from mmoe.baselines.cosine import Vectors
from mmoe.names import name_tokens

TOPICS = 300
LEAST_WORDS = 2
SEED = 43


def attribute_topics(attributes: Sequence[str]) -> Vectors | None:
    """One vector an entity, of at most TOPICS dimensions; absent for one that has no word of some others.

    An encoder reads attributes behind the name, and its embedding is mostly the name's.

    Returns:
        None where hardly any word stands in some attributes and not in all.
    Source: Deerwester et al., Indexing by latent semantic analysis (1990).
    """
    words = [name_tokens(each) for each in attributes]
    counts = Counter(word for each in words for word in set(each))
    shared = sorted(word for word, count in counts.items() if 1 < count < len(words))
    if len(shared) < LEAST_WORDS:
        return None
    weights = TfidfVectorizer(
        analyzer=list, vocabulary=shared, sublinear_tf=True, dtype=np.float32
    ).fit_transform(words)
    reduced = TruncatedSVD(min(TOPICS, len(shared)), random_state=SEED).fit_transform(weights)
    return Vectors(reduced.astype(np.float32), np.diff(weights.indptr) > 0)
