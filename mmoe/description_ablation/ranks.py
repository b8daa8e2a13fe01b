"""Every system that reads descriptions, asked for every text that a choice makes of a test mention."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.baselines.cosine import CosineTerms, Means, SideVectors, Vectors
from mmoe.baselines.run import cosine_systems, ranks_of
from mmoe.baselines.strings import bm25
from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.evaluation.ranks import Ranks
from mmoe.features.store import read_features
from mmoe.linking.data import LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.sides import BASE, FeatureSide
from mmoe.linking.whole_kb import rank_records

# The others compare surface forms or images alone.
READ_DESCRIPTIONS = ("cosine, text–text", "two-part cosine", "CLIP zero-shot")


def ranks_of_texts(
    texts: ChoiceTexts,
    data: LinkingData,
    new_features: Path | None,
    index: EntityIndex,
    engine: str,
) -> dict[str, Ranks]:
    """Ranks of every text by the matcher and by the baselines that read descriptions.

    Args:
        texts: first those of the run's own descriptions, one for each mention of `data`, in order.
        data: the test mentions with the features of their own texts, and the knowledge base.
        new_features: of the other texts; None if there is none.
        index: of a matcher that was trained with the run's own descriptions.
    """
    sides = [data.mention_side]
    if new_features is not None:
        sides.append(_with_texts(data, texts, new_features))
    position = {mention.mention_id: i for i, mention in enumerate(data.mentions)}
    gold = data.gold[[position[mention.mention_id] for mention in texts.mentions]]
    parts = torch.split(torch.from_numpy(gold), [len(side) for side in sides])
    ranked = [
        rank_records(index, side, side.everything, part, index.device, engine=engine).ranks
        for side, part in zip(sides, parts, strict=True)
    ]
    # What a missing image counts depends on the run's own texts, so on nothing that is compared with them.
    ours, theirs = _vectors(*sides), _vectors(data.entity_side)
    terms = CosineTerms.of(ours, theirs, Means.of(ours.take(slice(0, len(data.mentions))), theirs))
    systems = {"BM25 with description": bm25(texts.queries(), data.entities)} | {
        name: scores for name, scores in cosine_systems(terms).items() if name in READ_DESCRIPTIONS
    }
    found = {index.matcher.spec.model.name: Ranks.joined(ranked)}
    for name, ranks in ranks_of(systems, gold).items():
        assert ranks.whole is not None
        found[name] = ranks.whole
    return found


def _with_texts(data: LinkingData, texts: ChoiceTexts, features: Path) -> FeatureSide:
    """The mentions of the other texts, with these in place of their own; images are shared."""
    side, first = data.mention_side, len(data.mentions)
    base = None
    if side.base is not None:
        base = _with_texts(replace(data, mention_side=side.base), texts, features / BASE)
    table = read_features(features)
    position = {mention.mention_id: i for i, mention in enumerate(data.mentions)}
    mentions = torch.tensor([position[m.mention_id] for m in texts.mentions[first:]])
    return replace(
        side,
        texts=table,
        text_rows=torch.from_numpy(table.rows_of(texts.ids[first:])),
        image_rows=side.image_rows if side.images is None else side.image_rows[mentions],
        strings=side.strings.select(mentions),
        base=base,
    )


def _vectors(*sides: FeatureSide) -> SideVectors:
    """Pooled embeddings in the records' order, one side after the other."""

    def joined(tables: list[tuple[Any, Tensor]]) -> NDArray[np.floating]:
        return np.concatenate([pooled_NP[rows].numpy() for pooled_NP, rows in tables])

    images = [(side.images, side.image_rows) for side in sides if side.images is not None]
    image = None
    if images:
        present = [table.present[rows.numpy()] for table, rows in images]
        pooled = joined([(table.pooled_NP, rows) for table, rows in images])
        image = Vectors(pooled, np.concatenate(present))
    text = joined([(side.texts.pooled_NP, side.text_rows) for side in sides])
    name = joined([(side.texts.name_pooled_NP, side.text_rows) for side in sides])
    return SideVectors(Vectors(text), Vectors(name), image)
