"""All baselines of one data set, in the order in which tables show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmoe.baselines.bm25 import bm25_ranks
from mmoe.baselines.cosine import Vectors
from mmoe.baselines.encoder import SideVectors, encoder_ranks
from mmoe.baselines.names import exact_name
from mmoe.evaluation.ranks import Ranks
from mmoe.features.store import FeatureTable, check_feature_config, read_pooled
from mmoe.records import Entity, Mention


def run_baselines(
    mentions: Sequence[Mention],
    entities: Sequence[Entity],
    features: Path,
    feature_config: dict[str, Any],
) -> dict[str, Ranks]:
    """Ranks by every baseline.

    Args:
        mentions: each with its gold entity in the knowledge base.
        entities: the whole knowledge base.
        features: folder of the data set's feature store.
        feature_config: what params.yaml says made the features.
    Returns:
        Method name to ranks; CLIP zero-shot only where there are image features.
    """
    gold_qids = [mention.gold_qid for mention in mentions]
    forms = [mention.surface_form for mention in mentions]
    texts = [f"{mention.surface_form} {mention.context}" for mention in mentions]
    ranks = {
        "exact name": exact_name(mentions, entities),
        "BM25, surface form": bm25_ranks(forms, gold_qids, entities),
        "BM25, surface form + context": bm25_ranks(texts, gold_qids, entities),
    }
    position = {entity.qid: i for i, entity in enumerate(entities)}
    gold = np.array([position[mention.gold_qid or ""] for mention in mentions], dtype=np.int64)
    mention_ids = [mention.mention_id for mention in mentions]
    entity_ids = [entity.qid for entity in entities]
    ours = _vectors(features, "mention", mention_ids, feature_config)
    theirs = _vectors(features, "entity", entity_ids, feature_config)
    return ranks | encoder_ranks(ours, theirs, gold)


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
