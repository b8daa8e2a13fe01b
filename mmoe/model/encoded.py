"""What a matcher makes of mentions and of entities apart, and how both meet in a score.

A score has two parts: inner products of precomputed vectors, dense or sparse, and a fine part that needs the
pair and for which the matcher gives bounds. That split is what makes exact ranks over a whole knowledge base
cheap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from mmoe.model.packed import Packed
from mmoe.model.token_linear import in_full_precision

Column: TypeAlias = Tensor | Packed


@dataclass(frozen=True)
class EncodedUnit:
    """B mentions, or N entities, as one unit of a matcher sees them.

    Attributes:
        inner_BI: the vectors whose dot product with the other side's is the inner part of the score.
        columns: what the fine part needs, by names of the unit's own: tensors with one row for each mention
            or entity, or packed sequences with one sequence for each. Empty for a unit without a fine part.
        sparse_BV: more inner-product vectors as a SciPy CSR array (TF-IDF weights, say); they take no
            gradient. None where there are none.
    """

    inner_BI: Tensor
    columns: Mapping[str, Column] = field(default_factory=dict)
    sparse_BV: Any = None

    def __len__(self) -> int:
        return len(self.inner_BI)

    def tensor(self, name: str) -> Tensor:
        """A column that is a plain tensor."""
        column = self.columns[name]
        assert isinstance(column, Tensor)
        return column

    def packed(self, name: str) -> Packed:
        """A column that is a packed sequence."""
        column = self.columns[name]
        assert isinstance(column, Packed)
        return column

    def select(self, rows: Tensor) -> EncodedUnit:
        """The mentions or entities at `rows` (int64, any order, repeats allowed)."""
        columns = {
            name: column.select(rows)
            if isinstance(column, Packed)
            else column.index_select(0, rows)
            for name, column in self.columns.items()
        }
        sparse = None if self.sparse_BV is None else self.sparse_BV[rows.cpu().numpy()]
        return EncodedUnit(self.inner_BI.index_select(0, rows), columns, sparse)

    def part(self, start: int, stop: int) -> EncodedUnit:
        """The mentions or entities from `start` to `stop`, without a copy of dense vectors."""
        columns = {
            name: column.part(start, stop) if isinstance(column, Packed) else column[start:stop]
            for name, column in self.columns.items()
        }
        sparse = None if self.sparse_BV is None else self.sparse_BV[start:stop]
        return EncodedUnit(self.inner_BI[start:stop], columns, sparse)

    def without_tokens(self) -> EncodedUnit:
        """The same without packed sequences."""
        columns = {k: each for k, each in self.columns.items() if not isinstance(each, Packed)}
        return EncodedUnit(self.inner_BI, columns, self.sparse_BV)

    def in_full_precision(self) -> EncodedUnit:
        """The same without half precision: such values become float32."""
        columns = {
            name: column.with_values(in_full_precision(column.values_TC))
            if isinstance(column, Packed)
            else in_full_precision(column)
            for name, column in self.columns.items()
        }
        return EncodedUnit(in_full_precision(self.inner_BI), columns, self.sparse_BV)


EncodedMentions: TypeAlias = dict[str, EncodedUnit]
EncodedEntities: TypeAlias = dict[str, EncodedUnit]


def num_rows(encoded: Mapping[str, EncodedUnit]) -> int:
    """How many mentions or entities they are."""
    return len(next(iter(encoded.values())))


def select(encoded: Mapping[str, EncodedUnit], rows: Tensor) -> dict[str, EncodedUnit]:
    """The mentions or entities at `rows`, in every unit."""
    return {name: unit.select(rows) for name, unit in encoded.items()}


def part(encoded: Mapping[str, EncodedUnit], start: int, stop: int) -> dict[str, EncodedUnit]:
    """The mentions or entities from `start` to `stop`, in every unit, without a copy."""
    return {name: unit.part(start, stop) for name, unit in encoded.items()}


def concatenate(parts: Sequence[Mapping[str, EncodedUnit]]) -> dict[str, EncodedUnit]:
    """The mentions or entities of all parts, in order."""
    return {name: _concatenate_unit([part[name] for part in parts]) for name in parts[0]}


def _concatenate_unit(parts: list[EncodedUnit]) -> EncodedUnit:
    columns = {
        name: _concatenate_columns([part.columns[name] for part in parts])
        for name in parts[0].columns
    }
    sparse = None
    if parts[0].sparse_BV is not None:
        sparse = scipy.sparse.vstack([part.sparse_BV for part in parts], format="csr")
    return EncodedUnit(torch.cat([part.inner_BI for part in parts]), columns, sparse)


def _concatenate_columns(parts: list[Column]) -> Column:
    packed = [part for part in parts if isinstance(part, Packed)]
    if packed:
        return Packed.concatenate(packed)
    return torch.cat([part for part in parts if isinstance(part, Tensor)])


def inner_scores(mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
    """The inner part of all B × N scores, in float32 whatever the precision around it.

    Cosines of near-duplicates differ by less than bfloat16 can tell apart.
    """
    with torch.autocast(mentions.inner_BI.device.type, enabled=False):
        scores_BN = mentions.inner_BI.float() @ entities.inner_BI.float().T
    if mentions.sparse_BV is None:
        return scores_BN
    sparse_BN = (mentions.sparse_BV @ entities.sparse_BV.T).toarray()
    return scores_BN + torch.from_numpy(sparse_BN).to(scores_BN)


def inner_scores_of_own(mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
    """The inner part of each mention's scores with n entities of its own: [B, n].

    Args:
        entities: B · n entities, the first mention's n first.
    """
    num_mentions = len(mentions)
    with torch.autocast(mentions.inner_BI.device.type, enabled=False):
        entities_BnI = entities.inner_BI.float().reshape(
            num_mentions, -1, entities.inner_BI.shape[1]
        )
        scores_Bn = torch.einsum("bi,bni->bn", mentions.inner_BI.float(), entities_BnI)
    if mentions.sparse_BV is None:
        return scores_Bn
    rows = np.arange(num_mentions).repeat(scores_Bn.shape[1])
    each = mentions.sparse_BV[rows]
    products = each.multiply(entities.sparse_BV).sum(axis=1)
    return scores_Bn + torch.from_numpy(products).to(scores_Bn).view_as(scores_Bn)
