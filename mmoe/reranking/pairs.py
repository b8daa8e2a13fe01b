"""Pairs of a mention and an entity, some entities to each mention."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pairs:
    """B mentions, each with D entities of its own.

    Attributes:
        rows: int64 [B], positions of the mentions.
        entities_BD: int64, positions of the entities.
    """

    rows: NDArray[np.int64]
    entities_BD: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice) -> Pairs:
        return Pairs(self.rows[part], self.entities_BD[part])
