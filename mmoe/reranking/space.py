"""What decides the features of a pair beside the pair itself, fitted once and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.cosine import Means, SideVectors, Vectors, mean_of
from mmoe.baselines.late_interaction import CentredTokens, centre_of
from mmoe.features.tokens import Tokens
from mmoe.records import Entity
from mmoe.reranking.frozen import EntityCosines
from mmoe.reranking.strings import EntityStrings, StringSpace
from mmoe.reranking.topics import Topics
from mmoe.vectors import unit_rows


@dataclass(frozen=True)
class Space:
    """Vocabularies, means and topics of a data set.

    They stay as they are when entities come and go, so that what is known of a pair stays the same.

    Attributes:
        strings: terms of the entities' names and attributes.
        means: of the embeddings of train mentions and of all entities.
        context_mean_P: of the embeddings of train mentions' contexts with the mention hidden; None where
            contexts are not used.
        topics: of the attributes; None where they hardly share a word, or contexts are not used.
        topic_mean_K: of the entities' topics.
        centres: mean token feature [C] of the entities' texts and images, by what they are of.
    """

    strings: StringSpace
    means: Means
    context_mean_P: NDArray[np.float32] | None
    topics: Topics | None
    topic_mean_K: NDArray[np.float32] | None
    centres: Mapping[str, NDArray[np.float32]]


class EntitySide:
    """The entities' side of all features, computed once for all mentions.

    Args:
        vectors, tokens: their frozen features, in their order.
    """

    def __init__(
        self,
        space: Space,
        entities: Sequence[Entity],
        vectors: SideVectors,
        tokens: Mapping[str, Tokens],
    ) -> None:
        self.space, self.vectors = space, vectors
        self.strings = EntityStrings(space.strings, entities)
        self.cosines = EntityCosines(vectors, space.means)
        self.tokens = {k: CentredTokens(own, space.centres[k]) for k, own in tokens.items()}
        means = space.means.entity
        self._about = [(vectors.text, means["text"]), (vectors.name, means["name"])]
        if space.topics is not None and space.topic_mean_K is not None:
            topics = space.topics.of([entity.attributes for entity in entities])
            self._about.append((topics, space.topic_mean_K))

    def __len__(self) -> int:
        return len(self.strings.names)

    def about(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """What the towers read of the entities at positions [...]: text, name and topics, [..., Q]."""
        flat = rows.ravel()
        found = standardised([(vectors.take(flat), mean) for vectors, mean in self._about])
        return found.reshape(*rows.shape, -1)


def fit_space(
    entities: Sequence[Entity],
    vectors: SideVectors,
    tokens: Mapping[str, Tokens],
    train: SideVectors,
    contexts: Vectors | None,
) -> Space:
    """The space of a data set.

    Args:
        vectors, tokens: frozen features of the entities.
        train: those of the train mentions; contexts, of their contexts with the mention hidden; None where
            contexts are not used.
    """
    topics = None if contexts is None else Topics.fit([entity.attributes for entity in entities])
    own = None if topics is None else topics.of([entity.attributes for entity in entities])
    return Space(
        StringSpace.fit(entities),
        Means.of(train, vectors),
        None if contexts is None else mean_of(contexts),
        topics,
        None if own is None else mean_of(own),
        {kind: centre_of(each) for kind, each in tokens.items()},
    )


def standardised(
    parts: Sequence[tuple[Vectors, NDArray[np.float32]]],
) -> NDArray[np.float32]:
    """Centred vectors beside each other, with a mean square of 1; zeros where one is absent.

    Args:
        parts: vectors, and the mean of their unit vectors.
    """
    widths = [vectors.values_NP.shape[1] for vectors, _ in parts]
    joined = np.empty((len(parts[0][0].values_NP), sum(widths)), dtype=np.float32)
    scale = np.sqrt(sum(widths) / len(widths))
    places = np.split(joined, np.cumsum(widths)[:-1], axis=1)
    for (vectors, mean_P), part_NP in zip(parts, places, strict=True):
        part_NP[:] = unit_rows(vectors.unit_NP - mean_P)
        part_NP *= (scale * vectors.present()).astype(np.float32)[:, None]
    return joined
