"""All baselines of one data set, in the order in which tables show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.bm25 import bm25_ranks
from mmoe.baselines.cosine import Vectors
from mmoe.baselines.encoder import SideVectors, encoder_ranks, learned_ranks
from mmoe.baselines.learned import MOST_MENTIONS
from mmoe.baselines.names import exact_name, first_candidate
from mmoe.evaluation.ranks import Ranks
from mmoe.features.store import FeatureTable, check_feature_config, read_pooled
from mmoe.records import Candidate, Entity, Mention


@dataclass(frozen=True)
class Records:
    """What the baselines read of a data set beside features.

    Attributes:
        entities: the whole knowledge base.
        candidates: in retrieval's order; empty without retrieval.
        descriptions: the description that was chosen, by mention_id; empty without any.
    """

    mentions: list[Mention]
    entities: list[Entity]
    candidates: list[Candidate]
    descriptions: dict[str, str]

    def linkable(self, split: str) -> list[Mention]:
        """The split's mentions whose gold entity is in the knowledge base."""
        return [m for m in self.mentions if m.split == split and m.in_kb]

    def gold_of(self, mentions: Sequence[Mention]) -> NDArray[np.int64]:
        """Positions of the mentions' gold entities."""
        position = {entity.qid: i for i, entity in enumerate(self.entities)}
        return np.array([position[mention.gold_qid or ""] for mention in mentions], dtype=np.int64)


@dataclass(frozen=True)
class Side:
    """Some mentions whose gold entities are in the knowledge base, and where these stand."""

    mentions: list[Mention]
    gold: NDArray[np.int64]
    vectors: SideVectors


def run_baselines(
    records: Records, features: Path, feature_config: dict[str, Any]
) -> dict[str, Ranks]:
    """Ranks of the test mentions by every baseline.

    Args:
        features: folder of the data set's feature store.
        feature_config: what params.yaml says made the features.
    Returns:
        Method name to ranks; those that need images, candidates or train mentions only where there are any.
    """
    entities = records.entities

    def side(split: str) -> Side:
        mentions = records.linkable(split)
        if split == "train":  # evenly spread; a handful of weights needs no more
            mentions = mentions[:: max(1, len(mentions) // MOST_MENTIONS)]
        ids = [mention.mention_id for mention in mentions]
        return Side(
            mentions, records.gold_of(mentions), _vectors(features, "mention", ids, feature_config)
        )

    test, train = side("test"), side("train")
    theirs = _vectors(features, "entity", [entity.qid for entity in entities], feature_config)
    ranks = ranks_by_strings(records, test.mentions)
    ranks |= encoder_ranks(test.vectors, theirs, test.gold)
    if train.mentions:
        ranks["frozen cosines, learned weights"] = learned_ranks(
            train.vectors, train.gold, test.vectors, theirs, test.gold
        )
    return ranks


def ranks_by_strings(records: Records, mentions: Sequence[Mention]) -> dict[str, Ranks]:
    """Ranks by the baselines that need no encoder."""
    entities, qids = records.entities, [mention.gold_qid for mention in mentions]
    forms = [mention.surface_form for mention in mentions]
    texts = [f"{mention.surface_form} {mention.context}" for mention in mentions]
    ranks = {"exact name": exact_name(mentions, entities)}
    if records.candidates:
        ranks["first candidate"] = first_candidate(mentions, records.candidates, entities)
    ranks["BM25, surface form"] = bm25_ranks(forms, qids, entities)
    ranks["BM25, surface form + context"] = bm25_ranks(texts, qids, entities)
    if records.descriptions:
        described = [
            f"{text} {records.descriptions.get(mention.mention_id, '')}"
            for text, mention in zip(texts, mentions, strict=True)
        ]
        ranks["BM25, with description"] = bm25_ranks(described, qids, entities)
    return ranks


def _vectors(
    features: Path, side: str, ids: list[str], feature_config: dict[str, Any]
) -> SideVectors:
    """Pooled embeddings of text, name and image, in the order of `ids`."""
    texts = _open(features / f"{side}_text", feature_config)
    images = _open(features / f"{side}_image", feature_config)
    rows = texts.rows_of(ids)
    assert texts.name_pooled_NP is not None
    text = Vectors(texts.pooled_NP.numpy()[rows])
    name = Vectors(texts.name_pooled_NP.numpy()[rows])
    if not images.token_width:
        return SideVectors(text, name, None)
    rows = images.rows_of(ids)
    return SideVectors(text, name, Vectors(images.pooled_NP.numpy()[rows], images.present[rows]))


def _open(folder: Path, feature_config: dict[str, Any]) -> FeatureTable:
    table = read_pooled(folder)
    check_feature_config(table, folder, feature_config)
    return table
