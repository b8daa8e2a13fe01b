"""All baselines of one data set, in the order in which tables show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines import strings
from mmoe.baselines.cosine import CosineTerms, SideVectors, Vectors
from mmoe.baselines.late_interaction import CentredTokens, LateInteraction, TokenShortlists
from mmoe.baselines.learned import MOST_MENTIONS, fit_weights, mined_lists
from mmoe.evaluation.ranks import (
    Ranks,
    ScoresOf,
    candidate_lists,
    count_ranks,
    count_ranks_among,
)
from mmoe.features.store import FeatureTable, check_feature_config, read_features
from mmoe.features.tokens import TokenRows, Tokens
from mmoe.records import Candidate, Entity, Mention

CHUNK = 128  # mentions scored at a time
RETRIEVAL_ORDER = "order of retrieval"  # an order of the candidates alone


@dataclass(frozen=True)
class Records:
    """What the baselines read of a data set beside features.

    Attributes:
        entities: the whole knowledge base.
        candidates: in retrieval's order; empty without retrieval.
        descriptions: the description that was chosen, by mention_id; empty without any. `chosen`: the
            candidate whose description it is.
    """

    mentions: list[Mention]
    entities: list[Entity]
    candidates: list[Candidate]
    descriptions: dict[str, str]
    chosen: dict[str, str] = field(default_factory=dict)

    def linkable(self, split: str) -> list[Mention]:
        """The split's mentions whose gold entity is in the knowledge base."""
        return [m for m in self.mentions if m.split == split and m.in_kb]

    def nil(self, split: str) -> list[Mention]:
        """The split's mentions whose entity the knowledge base lacks; `data.nil` may have dropped them."""
        return [m for m in self.mentions if m.split == split and not m.in_kb]

    def gold_of(self, mentions: Sequence[Mention]) -> NDArray[np.int64]:
        """Positions of the mentions' gold entities; -1 for nil."""
        golds = [self.position[m.gold_qid or ""] if m.in_kb else -1 for m in mentions]
        return np.array(golds, dtype=np.int64)

    @cached_property
    def position(self) -> dict[str, int]:
        """Where an entity stands, by its qid."""
        return {entity.qid: i for i, entity in enumerate(self.entities)}


@dataclass(frozen=True)
class BaselineRanks:
    """Ranks by one baseline.

    Attributes:
        whole: over the whole knowledge base; None for an order of the candidates alone.
        among: over the mention's candidates; None without retrieval.
    """

    whole: Ranks | None
    among: Ranks | None


@dataclass(frozen=True)
class FeatureParts:
    """Cached features of both sides, by the ids of the records; each part is read once.

    Attributes:
        folder: of the data set's feature store.
        config: what params.yaml says made the features.
    """

    folder: Path
    config: dict[str, Any]
    _tables: dict[str, FeatureTable] = field(default_factory=dict, repr=False, compare=False)

    def vectors(self, side: str, ids: Sequence[str]) -> SideVectors:
        """Pooled embeddings of text, name and image."""
        texts, images = self._table(f"{side}_text"), self._table(f"{side}_image")
        rows = texts.rows_of(ids)
        assert texts.name_pooled_NP is not None
        text = Vectors(texts.pooled_NP.numpy()[rows])
        name = Vectors(texts.name_pooled_NP.numpy()[rows])
        if not images.token_width:
            return SideVectors(text, name, None)
        rows = images.rows_of(ids)
        return SideVectors(
            text, name, Vectors(images.pooled_NP.numpy()[rows], images.present[rows])
        )

    def pooled(self, part: str, ids: Sequence[str]) -> Vectors:
        """Pooled embeddings of one part of texts."""
        table = self._table(part)
        return Vectors(table.pooled_NP.numpy()[table.rows_of(ids)])

    def tokens(self, side: str, ids: Sequence[str]) -> dict[str, Tokens]:
        """Token features of texts and, where the encoder sees images, patch features, by what they are of."""
        found: dict[str, Tokens] = {}
        for kind in ("text", "image"):
            table = self._table(f"{side}_{kind}")
            if table.token_width:
                rows = table.rows_of(ids)
                found[kind] = TokenRows(table.tokens, rows, table.present[rows])
        return found

    def _table(self, part: str) -> FeatureTable:
        if part not in self._tables:
            folder = self.folder / part
            table = read_features(folder)
            check_feature_config(table, folder, self.config)
            self._tables[part] = table
        return self._tables[part]


def run_baselines(records: Records, features: FeatureParts) -> dict[str, BaselineRanks]:
    """Ranks of the test mentions by every baseline.

    Returns:
        By name; those that need images, candidates or train mentions only where there are any.
    """
    mentions, candidates = records.linkable("test"), None
    if records.candidates:
        candidates = candidate_lists(mentions, records.candidates, records.position)
    systems = string_systems(records, mentions, candidates) | feature_systems(records, features)
    return ranks_of(systems, records.gold_of(mentions), candidates)


def ranks_of(
    systems: Mapping[str, ScoresOf],
    gold: NDArray[np.int64],
    candidates: Sequence[NDArray[np.int64]] | None = None,
) -> dict[str, BaselineRanks]:
    """Ranks by each system over the whole knowledge base and, where there are any, over the candidates.

    Systems go through the same few mentions one after the other, so that they can share work on them.

    Args:
        gold: [M], position of each mention's gold entity.
        candidates: of each mention.
    """
    whole: dict[str, list[Ranks]] = {name: [] for name in systems}
    among: dict[str, list[Ranks]] = {name: [] for name in systems}
    for start in range(0, len(gold), CHUNK):
        rows = slice(start, min(start + CHUNK, len(gold)))
        for name, scores_of in systems.items():
            scores_BN = scores_of(rows)
            whole[name].append(count_ranks(scores_BN, gold[rows]))
            if candidates is not None:
                among[name].append(count_ranks_among(scores_BN, gold[rows], candidates[rows]))
    return {
        name: BaselineRanks(
            None if name == RETRIEVAL_ORDER else Ranks.joined(whole[name]),
            None if candidates is None else Ranks.joined(among[name]),
        )
        for name in systems
    }


def string_systems(
    records: Records, mentions: Sequence[Mention], candidates: list[NDArray[np.int64]] | None
) -> dict[str, ScoresOf]:
    """The systems that need no encoder."""
    entities = records.entities
    forms = [mention.surface_form for mention in mentions]
    texts = [f"{mention.surface_form} {mention.context}" for mention in mentions]
    systems = {"exact name": strings.exact_name(mentions, entities)}
    if candidates is not None:
        systems["first candidate"] = strings.first_candidate(candidates, len(entities))
        systems[RETRIEVAL_ORDER] = strings.retrieval_order(candidates, len(entities))
    systems["BM25, surface form"] = strings.bm25(forms, entities)
    systems["BM25, surface form + context"] = strings.bm25(texts, entities)
    if records.descriptions:
        described = [
            f"{text} {records.descriptions.get(mention.mention_id, '')}"
            for text, mention in zip(texts, mentions, strict=True)
        ]
        systems["BM25, with description"] = strings.bm25(described, entities)
    return systems


def feature_systems(records: Records, features: FeatureParts) -> dict[str, ScoresOf]:
    """The systems that compare frozen features: cosines, their sums, and late interaction."""
    qids = [entity.qid for entity in records.entities]
    theirs = features.vectors("entity", qids)
    tokens = {k: CentredTokens(own) for k, own in features.tokens("entity", qids).items()}

    def shortlists(mentions: Sequence[Mention]) -> TokenShortlists:
        ids = [mention.mention_id for mention in mentions]
        return TokenShortlists(
            CosineTerms.of(features.vectors("mention", ids), theirs),
            list(interactions(features.tokens("mention", ids), tokens).values()),
        )

    test, train = shortlists(records.linkable("test")), records.linkable("train")
    num_cosines, num_late = len(test.terms.names), len(test.interactions)
    systems = cosine_systems(test.terms)
    late = np.repeat([0, 1], [num_cosines, num_late])
    if num_late > 1:
        texts = np.arange(len(late)) == num_cosines
        systems["late interaction, text"] = partial(test.score, weights=texts)
    systems["late interaction"] = partial(test.score, weights=late)
    if train:
        train = train[:: max(1, len(train) // MOST_MENTIONS)]  # a handful of weights needs no more
        shown = shortlists(train)
        chosen, cosines = mined_lists(shown.terms, records.gold_of(train))
        systems["learned weights, cosines"] = partial(
            test.terms.score, weights=fit_weights(cosines)
        )
        every = np.concatenate([cosines, shown.late(range(len(train)), chosen)], axis=2)
        systems["learned weights, similarities"] = partial(test.score, weights=fit_weights(every))
    return systems


def interactions(
    mentions: Mapping[str, Tokens], entities: Mapping[str, CentredTokens]
) -> dict[str, LateInteraction]:
    """Late interaction of texts and of images, where both sides have them."""
    return {k: LateInteraction(mentions[k], entities[k]) for k in entities if k in mentions}


def cosine_systems(terms: CosineTerms) -> dict[str, ScoresOf]:
    """The sums of frozen cosines that need no training."""
    return {name: partial(terms.score, weights=w) for name, w in terms.sums().items()}
