"""The frozen features of a data set's pairs, family by family, and the order of its shortlists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.cosine import CosineTerms, Vectors
from mmoe.baselines.late_interaction import LateInteraction
from mmoe.baselines.run import FeatureParts, Records
from mmoe.evaluation.ranks import candidate_lists
from mmoe.records import Mention
from mmoe.reranking.context import FOLDS, ContextFeatures
from mmoe.reranking.frozen import CosineFeatures, LateFeatures, mean_of
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.retrieved import RetrievedFeatures
from mmoe.reranking.strings import StringFeatures
from mmoe.reranking.topics import attribute_topics
from mmoe.vectors import unit_rows

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


class PairFeatures:
    """Frozen features of a data set's pairs, and the order in which its shortlists are made.

    Args:
        mentions: of all splits, linkable, train mentions first.
        num_train: how many those are.
        use_context: whether two towers are fitted to their contexts (`mmoe.reranking.context`).
    Attributes:
        gold: int64 [M], positions of the mentions' gold entities.
    """

    def __init__(
        self,
        records: Records,
        features: FeatureParts,
        mentions: Sequence[Mention],
        num_train: int,
        *,
        use_context: bool,
    ) -> None:
        entities = records.entities
        ids, qids = [m.mention_id for m in mentions], [e.qid for e in entities]
        ours, theirs = features.vectors("mention", ids), features.vectors("entity", qids)
        tokens = {
            kind: (features.tokens(f"mention_{kind}", ids), features.tokens(f"entity_{kind}", qids))
            for kind in ("text", "image")
        }
        descriptions = records.descriptions
        texts = [
            f"{m.surface_form} {m.context} {descriptions.get(m.mention_id, '')}" for m in mentions
        ]
        typical = np.arange(num_train)
        self.gold = records.gold_of(mentions)
        self._terms = CosineTerms.of(ours, theirs, typical)
        self._strings = StringFeatures(mentions, entities, texts)
        self.families: list[Family] = [
            CosineFeatures(ours, theirs, typical),
            LateFeatures({k: LateInteraction(a, b) for k, (a, b) in tokens.items() if a and b}),
            self._strings,
        ]
        if use_context and num_train >= FOLDS:
            contexts = standardised([features.pooled("mention_context", ids)], typical)
            topics = attribute_topics([entity.attributes for entity in entities])
            known = [theirs.text, theirs.name] + ([] if topics is None else [topics])
            about = standardised(known, None)
            self.families.append(ContextFeatures(contexts, about, self.gold, num_train))
        self._retrieved: RetrievedFeatures | None = None
        if records.candidates:
            position = {qid: i for i, qid in enumerate(qids)}
            chosen = {
                row: position[records.chosen[id_]]
                for row, id_ in enumerate(ids)
                if records.chosen.get(id_) in position
            }
            articles = {
                position[each.qid]: each.sitelinks
                for each in records.candidates
                if each.qid in position and each.sitelinks is not None
            }
            candidates = candidate_lists(mentions, records.candidates, entities)
            self._retrieved = RetrievedFeatures(candidates, chosen, articles, len(entities))
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


def standardised(
    vectors: Sequence[Vectors], typical: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    """Centred vectors beside each other, with a mean square of 1; zeros where one is absent."""
    widths = [each.values_NP.shape[1] for each in vectors]
    joined = np.empty((len(vectors[0].values_NP), sum(widths)), dtype=np.float32)
    scale = np.sqrt(sum(widths) / len(widths))
    for each, part_NP in zip(
        vectors, np.split(joined, np.cumsum(widths)[:-1], axis=1), strict=True
    ):
        part_NP[:] = unit_rows(each.unit_NP - mean_of(each, typical))
        part_NP *= (scale * each.present()).astype(np.float32)[:, None]
    return joined


def features_of(families: Sequence[Family], pairs: Pairs) -> NDArray[np.float32]:
    """The features of all families, [M, D, F], some mentions at a time."""
    blocks = [
        np.concatenate([family.of(pairs[start : start + CHUNK]) for family in families], axis=-1)
        for start in range(0, len(pairs), CHUNK)
    ]
    return np.concatenate(blocks)
