"""The frozen features of pairs, family by family, and the order of shortlists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.cosine import CosineTerms, SideVectors, Vectors
from mmoe.baselines.run import FeatureParts, Records, interactions
from mmoe.features.tokens import Tokens
from mmoe.records import Entity, Mention
from mmoe.reranking.context import ContextFeatures
from mmoe.reranking.frozen import CosineFeatures, LateFeatures
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.retrieved import Retrieved, RetrievedFeatures
from mmoe.reranking.space import EntitySide, standardised
from mmoe.reranking.strings import StringFeatures

CHUNK = 64  # mentions whose features are computed at a time
STRING_WEIGHT = 0.5  # of each string similarity in the order of the shortlist; a cosine's is 1


class Family(Protocol):
    """Some features of pairs."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in order."""
        ...

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All of them, [B, D, F]; NaN where one is missing."""
        ...


@dataclass(frozen=True)
class MentionSide:
    """What features of pairs read of some mentions.

    Attributes:
        texts: surface form, context and description, as the text encoder reads them.
        vectors, tokens: their frozen features.
        contexts: embeddings of the contexts with the mention hidden; None where those are not used.
        retrieved: None where nothing is retrieved for any mention.
    """

    mentions: Sequence[Mention]
    texts: Sequence[str]
    vectors: SideVectors
    tokens: Mapping[str, Tokens]
    contexts: Vectors | None
    retrieved: Retrieved | None

    @classmethod
    def stored(
        cls,
        records: Records,
        features: FeatureParts,
        mentions: Sequence[Mention],
        *,
        use_context: bool,
    ) -> MentionSide:
        """Mentions of a data set."""
        ids = [mention.mention_id for mention in mentions]
        described = [records.descriptions.get(id_) for id_ in ids]
        retrieved = None
        if records.candidates:
            retrieved = Retrieved.of(mentions, records.candidates, records.chosen, records.position)
        return cls(
            mentions,
            [text_of(mention, own) for mention, own in zip(mentions, described, strict=True)],
            features.vectors("mention", ids),
            features.tokens("mention", ids),
            features.pooled("mention_context", ids) if use_context else None,
            retrieved,
        )


def text_of(mention: Mention, description: str | None) -> str:
    """What the text encoder reads of a mention."""
    return f"{mention.surface_form} {mention.context} {description or ''}"


def entity_side_vectors(
    features: FeatureParts, entities: Sequence[Entity]
) -> tuple[SideVectors, Mapping[str, Tokens]]:
    """The stored frozen features of a knowledge base."""
    qids = [entity.qid for entity in entities]
    return features.vectors("entity", qids), features.tokens("entity", qids)


class PairFeatures:
    """Frozen features of pairs, and the order in which shortlists are made.

    Args:
        context: the family of the contexts, where they are used.
    """

    def __init__(
        self, entities: EntitySide, mentions: MentionSide, context: ContextFeatures | None
    ) -> None:
        self._terms = CosineTerms.of(mentions.vectors, entities.vectors, entities.space.means)
        self._strings = StringFeatures(entities.strings, mentions.mentions, mentions.texts)
        self.families: list[Family] = [
            CosineFeatures(entities.cosines, mentions.vectors),
            LateFeatures(interactions(mentions.tokens, entities.tokens)),
            self._strings,
        ]
        if context is not None:
            self.families.append(context)
        self._retrieved: RetrievedFeatures | None = None
        if mentions.retrieved is not None:
            self._retrieved = RetrievedFeatures(mentions.retrieved, len(entities))
            self.families.append(self._retrieved)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all features, in order."""
        return tuple(name for family in self.families for name in family.names)

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [M, D, F]; NaN where one is missing."""
        return features_of(self.families, pairs)

    def order(self, rows: slice) -> NDArray[np.float32]:
        """Scores [B, N] by which shortlists are made: inner products alone, none of them learned."""
        at = np.arange(rows.start, rows.stop)
        total: NDArray[np.float32] = self._terms.each(rows).sum(axis=0)
        for pair in self._strings.similarities.values():
            total += STRING_WEIGHT * pair.every(at)
        if self._retrieved is not None:
            total += self._retrieved.retrieved[at].toarray()
        return total


def context_inputs(entities: EntitySide, mentions: MentionSide) -> NDArray[np.float32] | None:
    """What the towers read of the mentions' contexts; None where those are not used."""
    mean_P = entities.space.context_mean_P
    if mentions.contexts is None or mean_P is None:
        return None
    return standardised([(mentions.contexts, mean_P)])


def features_of(families: Sequence[Family], pairs: Pairs) -> NDArray[np.float32]:
    """The features of all families, [M, D, F], some mentions at a time."""
    blocks = [
        np.concatenate([family.of(pairs[start : start + CHUNK]) for family in families], axis=-1)
        for start in range(0, len(pairs), CHUNK)
    ]
    return np.concatenate(blocks)
