"""What a unit makes of mentions and of entities apart, and the score of a pair that follows from both.

Every score in here is an inner product of two precomputed vectors plus, for some units, an attention
term that needs the pair. That split is what makes exact ranks over a whole knowledge base cheap.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmoe.model.packed import Packed, segment_mean


@dataclass(frozen=True)
class EncodedMentions:
    """B mentions as one unit sees them.

    Attributes:
        inner_BI: the vectors whose dot product with the entities' is the inner part of the score.
        keys: tokens that the attention term attends to, width D; None for a unit without one.
        values_TD: what it takes from them, one row a key.
    """

    inner_BI: Tensor
    keys: Packed | None = None
    values_TD: Tensor | None = None

    def select(self, rows: Tensor) -> EncodedMentions:
        """The mentions at `rows`."""
        if self.keys is None or self.values_TD is None:
            return EncodedMentions(self.inner_BI[rows])
        values = self.keys.with_values(self.values_TD).select(rows).values_TC
        return EncodedMentions(self.inner_BI[rows], self.keys.select(rows), values)


@dataclass(frozen=True)
class EncodedEntities:
    """N entities as one unit sees them.

    Attributes:
        inner_NI: see `EncodedMentions.inner_BI`.
        queries: tokens that attend to a mention's keys, already divided by √D.
        entity_vector_ND: the vector that is multiplied with what attention returns, half of h_e: the fine
            score is the mean of two.
    """

    inner_NI: Tensor
    queries: Packed | None = None
    entity_vector_ND: Tensor | None = None

    def select(self, rows: Tensor) -> EncodedEntities:
        """The entities at `rows`."""
        if self.queries is None or self.entity_vector_ND is None:
            return EncodedEntities(self.inner_NI[rows])
        return EncodedEntities(
            self.inner_NI[rows], self.queries.select(rows), self.entity_vector_ND[rows]
        )

    @staticmethod
    def concatenate(parts: list[EncodedEntities]) -> EncodedEntities:
        """The entities of all parts, in order."""
        inner = torch.cat([part.inner_NI for part in parts])
        queries = [part.queries for part in parts if part.queries is not None]
        probes = [part.entity_vector_ND for part in parts if part.entity_vector_ND is not None]
        if not queries:
            return EncodedEntities(inner)
        return EncodedEntities(inner, Packed.concatenate(queries), torch.cat(probes))


def inner_scores(mentions: EncodedMentions, entities: EncodedEntities) -> Tensor:
    """The inner part of all B × N scores, in float32 whatever the precision around it.

    Cosines of near-duplicates differ by less than bfloat16 can tell apart.
    """
    with torch.autocast(mentions.inner_BI.device.type, enabled=False):
        return mentions.inner_BI.float() @ entities.inner_NI.float().T


def fine_scores(mentions: EncodedMentions, entities: EncodedEntities) -> Tensor:
    """The attention part of all B × N scores; zeros for a unit without one.

    mean(A V) = mean(A) V, so V is touched once a pair and not once a query token; and
    h_e · (mean(A) V) = Σ_j mean(A)_j (h_e · V_j), so V never leaves one matrix product.

    Source: MMoE eq. 5. Differs from the release: padding takes no part in attention.
    """
    if mentions.keys is None or entities.queries is None:
        return entities.inner_NI.new_zeros(len(mentions.inner_BI), len(entities.inner_NI))
    assert mentions.values_TD is not None
    assert entities.entity_vector_ND is not None
    keys_BLD, mask_BL = mentions.keys.padded()
    values_BLD, _ = mentions.keys.with_values(mentions.values_TD).padded()
    # Plain matrix products over all B·L tokens at once: twice as fast as batched ones on CPU.
    logits = entities.queries.values_TC @ keys_BLD.flatten(0, 1).T
    weights_TBL = (logits.view(-1, *mask_BL.shape) + _padding(mask_BL, logits)).softmax(dim=-1)
    mean_NBL = segment_mean(weights_TBL, entities.queries)
    worth_NBL = (entities.entity_vector_ND @ values_BLD.flatten(0, 1).T).view(-1, *mask_BL.shape)
    return (mean_NBL * worth_NBL).sum(dim=-1).T


def scores_with_own_negatives(mentions: EncodedMentions, entities: EncodedEntities) -> Tensor:
    """Scores [B, n] of each mention with n entities of its own.

    Args:
        entities: B · n entities, the first mention's n first.
    """
    num_mentions = len(mentions.inner_BI)
    with torch.autocast(mentions.inner_BI.device.type, enabled=False):
        inner_BnI = entities.inner_NI.float().reshape(num_mentions, -1, entities.inner_NI.shape[1])
        inner_Bn = torch.einsum("bi,bni->bn", mentions.inner_BI.float(), inner_BnI)
    if mentions.keys is None or entities.queries is None:
        return inner_Bn
    assert mentions.values_TD is not None
    assert entities.entity_vector_ND is not None
    keys_BLD, mask_BL = mentions.keys.padded()
    values_BLD, _ = mentions.keys.with_values(mentions.values_TD).padded()
    queries_NQD, is_query_NQ = entities.queries.padded()
    num_queries = queries_NQD.shape[1]
    logits_BSL = queries_NQD.reshape(num_mentions, -1, queries_NQD.shape[2]) @ keys_BLD.mT
    weights_BSL = (logits_BSL + _padding(mask_BL, logits_BSL)[:, None]).softmax(dim=-1)
    weights_NQL = weights_BSL.reshape(-1, num_queries, keys_BLD.shape[1])
    share_NQ = is_query_NQ / entities.queries.lengths_B[:, None]
    mean_NL = torch.einsum("nql,nq->nl", weights_NQL, share_NQ.to(weights_NQL.dtype))
    vector_BnD = entities.entity_vector_ND.reshape(
        num_mentions, -1, entities.entity_vector_ND.shape[1]
    )
    worth_BnL = vector_BnD @ values_BLD.mT
    return inner_Bn + (mean_NL.view_as(worth_BnL) * worth_BnL).sum(dim=-1)


def _padding(mask_BL: Tensor, like: Tensor) -> Tensor:
    """Zero for real tokens, minus infinity for padding; added to logits, it costs the least."""
    return torch.zeros_like(mask_BL, dtype=like.dtype).masked_fill(~mask_BL, -torch.inf)


def fine_bounds(mentions: EncodedMentions, entities: EncodedEntities) -> tuple[Tensor, Tensor]:
    """Lower and upper bounds [B, N] of `fine_scores` from one matrix product.

    mean(A) is a convex combination, so the fine score lies between the smallest and the largest
    probe · V_j over the mention's tokens j.
    """
    if mentions.keys is None or entities.entity_vector_ND is None:
        zeros = entities.inner_NI.new_zeros(len(mentions.inner_BI), len(entities.inner_NI))
        return zeros, zeros
    assert mentions.values_TD is not None
    worth_TN = mentions.values_TD @ entities.entity_vector_ND.T
    per_mention = torch.split(worth_TN, mentions.keys.lengths_B.tolist())
    low = torch.stack([worth.amin(dim=0) for worth in per_mention])
    high = torch.stack([worth.amax(dim=0) for worth in per_mention])
    return low, high
