"""Fine matching by attention: S_fm = h_e · mean(A V), for all pairs, and its bounds.

Columns of a mention: `keys`, the tokens that attention looks at, and `values`, what it takes from them.
Columns of an entity: `queries`, already divided by √D, and `entity_vector`, which is multiplied with what
attention returns (h_e, times the weight of S_fm in the unit's score); `entity_norm`, its length, for bounds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmoe.model.encoded import EncodedUnit
from mmoe.model.packed import Packed, segment_mean

# Attention weights that are computed at a time: on a CPU, as many as its cache holds.
BLOCK = {"cpu": 1 << 20, "cuda": 1 << 26}


def attention_scores(mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
    """The fine part of all B × N scores.

    mean(A V) = mean(A) V, so V is touched once a pair and not once a query token; and
    h_e · (mean(A) V) = Σ_j mean(A)_j (h_e · V_j), so V never leaves one matrix product.

    Source: MMoE eq. 5. Differs from the release: padding takes no part in attention, no LayerNorm on
        mean(A V).
    """
    mean_NBL = mean_weights(mentions, entities)
    values_BLD, _ = mentions.packed("values").padded()
    worth_NBL = entities.tensor("entity_vector") @ values_BLD.flatten(0, 1).T
    return (mean_NBL * worth_NBL.view_as(mean_NBL)).sum(dim=-1).T


def mean_weights(mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
    """mean(A) of all pairs, [N, B, L]: the weights of a mention's tokens, averaged over an entity's."""
    queries = entities.packed("queries")
    keys_BLD, mask_BL = mentions.packed("keys").padded()
    # Plain matrix products over all B·L tokens at once: twice as fast as batched ones on CPU.
    keys_DS = keys_BLD.flatten(0, 1).T
    block = BLOCK.get(keys_DS.device.type, BLOCK["cpu"])
    num_weights = mask_BL.numel() * len(queries.values_TC)
    parts = []
    for some in queries.split(max(1, block * len(queries) // max(1, num_weights))):
        logits_TBL = (some.values_TC @ keys_DS).view(-1, *mask_BL.shape)
        weights_TBL = (logits_TBL + _padding(mask_BL, logits_TBL)).softmax(dim=-1)
        parts.append(segment_mean(weights_TBL, some))
    return torch.cat(parts)


def attention_scores_of_own(mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
    """The fine part of each mention's scores with n entities of its own: [B, n].

    Args:
        entities: B · n entities, the first mention's n first.
    """
    mean_BnL = mean_weights_of_own(mentions, entities)
    values_BLD, _ = mentions.packed("values").padded()
    vector_ND = entities.tensor("entity_vector")
    vector_BnD = vector_ND.reshape(len(mentions), -1, vector_ND.shape[1])
    return (mean_BnL * (vector_BnD @ values_BLD.mT)).sum(dim=-1)


def mean_weights_of_own(mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
    """As `mean_weights`, of each mention with n entities of its own: [B, n, L]."""
    num_mentions = len(mentions)
    keys_BLD, mask_BL = mentions.packed("keys").padded()
    queries = entities.packed("queries")
    queries_NQD, is_query_NQ = queries.padded()
    logits_BSL = queries_NQD.reshape(num_mentions, -1, queries_NQD.shape[2]) @ keys_BLD.mT
    weights_BSL = (logits_BSL + _padding(mask_BL, logits_BSL)[:, None]).softmax(dim=-1)
    weights_NQL = weights_BSL.reshape(-1, queries_NQD.shape[1], keys_BLD.shape[1])
    share_NQ = is_query_NQ / queries.lengths_B[:, None]
    mean_NL = torch.einsum("nql,nq->nl", weights_NQL, share_NQ.to(weights_NQL.dtype))
    return mean_NL.view(num_mentions, -1, mean_NL.shape[1])


def own_context(query_BD: Tensor, tokens: Packed) -> Tensor:
    """softmax(q Hᵀ) H: each row's query over the row's own tokens, [B, D]."""
    tokens_BLD, mask_BL = tokens.padded()
    logits_BL = torch.einsum("bd,bld->bl", query_BD, tokens_BLD)
    weights_BL = logits_BL.masked_fill(~mask_BL, -torch.inf).softmax(dim=-1)
    return torch.einsum("bl,bld->bd", weights_BL, tokens_BLD)


def attention_bounds(mentions: EncodedUnit, entities: EncodedUnit) -> tuple[Tensor, Tensor]:
    """Lower and upper bounds [B, N] of `attention_scores` from one matrix product.

    mean(A) is a convex combination, so the fine score lies between the smallest and the largest
    entity vector · V_j over the mention's tokens j.
    """
    values = mentions.packed("values")
    worth_TN = values.values_TC @ entities.tensor("entity_vector").T
    per_mention = torch.split(worth_TN, values.lengths_B.tolist())
    low = torch.stack([worth.amin(dim=0) for worth in per_mention])
    high = torch.stack([worth.amax(dim=0) for worth in per_mention])
    return low, high


def attention_ball(mentions: EncodedUnit, entities: EncodedUnit) -> tuple[Tensor, Tensor]:
    """Centres and radii [B, N] of `attention_scores`, for which the mention's tokens are looked at once."""
    centre_BD, radius_B = _ball(mentions)
    middle_BN = centre_BD @ entities.tensor("entity_vector").T
    return middle_BN, torch.outer(radius_B, entities.tensor("entity_norm"))


def attention_vectors(encoded: EncodedUnit) -> Tensor:
    """Vectors [B, D] of mentions, or [N, D] of entities: their products are `attention_ball`'s centres."""
    if "entity_vector" in encoded.columns:
        return encoded.tensor("entity_vector")
    return _ball(encoded)[0]


def _ball(mentions: EncodedUnit) -> tuple[Tensor, Tensor]:
    """Centre [B, D] and radius [B] of a ball that holds a mention's values, and so what attention returns.

    Its centre is in the middle of each of their D ranges; the smallest ball is 3 % narrower.
    """
    values_BLD, mask_BL = mentions.packed("values").padded()
    absent_BL1 = ~mask_BL[..., None]
    low_BD = values_BLD.masked_fill(absent_BL1, torch.inf).amin(dim=1)
    centre_BD = (low_BD + values_BLD.masked_fill(absent_BL1, -torch.inf).amax(dim=1)) / 2
    distance_BL = (values_BLD - centre_BD[:, None]).norm(dim=2)
    return centre_BD, distance_BL.masked_fill(~mask_BL, 0).amax(dim=1)


def _padding(mask_BL: Tensor, like: Tensor) -> Tensor:
    """Zero for real tokens, minus infinity for padding; added to logits, it costs the least."""
    return torch.zeros_like(mask_BL, dtype=like.dtype).masked_fill(~mask_BL, -torch.inf)
