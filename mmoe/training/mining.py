"""Hard negatives: the wrong entities that the frozen encoder finds most similar."""

from __future__ import annotations

import torch
from torch import Tensor

from mmoe.linking.data import LinkingData
from mmoe.linking.sides import Side
from mmoe.model.features import unit_vectors

CHUNK = 512


@torch.no_grad()
def mine_negatives(data: LinkingData[Side], mentions: Tensor, depth: int) -> Tensor:
    """The `depth` most similar wrong entities of each mention over the whole knowledge base.

    Similarity is cos(text, text) + cos(surface form, name) of the pooled embeddings, as in the two-part
    cosine baseline; most hard negatives share the mention's name.

    Args:
        mentions: int64 [M], positions of the mentions.
    Returns:
        int64 [M, min(depth, N - 1)], most similar first.
    """
    depth = min(depth, len(data.entities) - 1)
    if not depth:
        return torch.empty(len(mentions), 0, dtype=torch.int64)
    entities_NP = _text_and_name(data.entity_side, data.entity_side.everything)
    gold = data.gold_of(mentions)
    mined = [torch.empty(0, depth, dtype=torch.int64)]
    for start in range(0, len(mentions), CHUNK):
        chunk = mentions[start : start + CHUNK]
        scores_BN = _text_and_name(data.mention_side, chunk) @ entities_NP.T
        scores_BN[torch.arange(len(chunk)), gold[start : start + CHUNK]] = -torch.inf
        mined.append(scores_BN.topk(depth, dim=-1).indices)
    return torch.cat(mined)


def _text_and_name(side: Side, records: Tensor) -> Tensor:
    """Both pooled embeddings, normalised and joined: their dot product is the sum of both cosines."""
    names, texts = side.names_and_texts(records)
    return torch.cat([unit_vectors(texts.float()), unit_vectors(names.float())], dim=-1)
