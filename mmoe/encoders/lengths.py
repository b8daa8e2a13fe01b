"""How long texts are in an encoder's tokens, before any is cut: needs its tokenizer, not its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.encoders.layout import plain_tokens, special_tokens
from mmoe.encoders.registry import load_tokenizer
from mmoe.records import TextInput

CHUNK = 4096


class TokenCounter:
    """Counts what `name separator body description` and the special tokens take, uncut.

    Args:
        name: the encoder, as `encode.model` names it.
    Raises:
        FeatureStoreError: if there is no such encoder, or its tokenizer is empty.
    """

    def __init__(self, name: str) -> None:
        self._tokenizer = load_tokenizer(name)
        self._num_special = special_tokens(name, self._tokenizer).total

    def lengths(self, rows: Sequence[TextInput]) -> NDArray[np.int64]:
        """int64, one number a row, in order."""
        totals: list[int] = []
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            parts = [
                plain_tokens(self._tokenizer, texts)["input_ids"]
                for texts in (
                    [row.name for row in chunk],
                    [row.body for row in chunk],
                    [row.description or "" for row in chunk],
                )
            ]
            totals += [self._num_special + sum(map(len, ids)) for ids in zip(*parts, strict=True)]
        return np.array(totals, dtype=np.int64)
