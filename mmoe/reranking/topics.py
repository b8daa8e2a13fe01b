"""What entities' attributes are about, in a few dimensions: latent semantic analysis of their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from mmoe.baselines.cosine import Vectors
from mmoe.names import name_tokens, normalise_name

TOPICS = 300
LEAST_WORDS = 2
SEED = 43


def attribute_topics(attributes: Sequence[str]) -> Vectors | None:
    """One vector an entity, of at most TOPICS dimensions; absent for one whose words no other entity has.

    An encoder reads attributes behind the name, and its embedding is mostly the name's.

    Returns:
        None where the attributes have hardly a word in common.
    Source: Deerwester et al., Indexing by latent semantic analysis (1990).
    """
    texts = [normalise_name(each) for each in attributes]
    counts = Counter(word for text in texts for word in set(name_tokens(text)))
    shared = sorted(word for word, count in counts.items() if count > 1)
    if len(shared) < LEAST_WORDS:
        return None
    weights = TfidfVectorizer(
        analyzer=name_tokens, vocabulary=shared, sublinear_tf=True, dtype=np.float32
    ).fit_transform(texts)
    reduced = TruncatedSVD(min(TOPICS, len(shared)), random_state=SEED).fit_transform(weights)
    return Vectors(reduced.astype(np.float32), np.diff(weights.indptr) > 0)
