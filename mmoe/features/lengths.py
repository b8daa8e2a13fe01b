"""How long texts are in an encoder's tokens, before any is cut: needs its tokenizer, not its weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.features.encoder import load_tokenizer, special_tokens
from mmoe.records import TextInput

CHUNK = 4096


@dataclass(frozen=True)
class TokenCounter:
    """Counts what `title separator body description` and the special tokens take, uncut.

    Args:
        name: the encoder, as `encode.model` names it.
    Raises:
        FeatureStoreError: if there is no such encoder, or its tokenizer is empty.
    """

    name: str

    def lengths(self, rows: Iterable[TextInput]) -> NDArray[np.int64]:
        """int64, one number a row, in order."""
        tokenizer = load_tokenizer(self.name)
        fixed = special_tokens(self.name, tokenizer).total
        totals = []
        for chunk in _chunks(rows):
            parts = [
                tokenizer(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]
                for texts in (
                    [row.title for row in chunk],
                    [row.body for row in chunk],
                    [row.description or "" for row in chunk],
                )
            ]
            totals += [fixed + sum(map(len, ids)) for ids in zip(*parts, strict=True)]
        return np.array(totals, dtype=np.int64)


def _chunks(rows: Iterable[TextInput]) -> Iterator[list[TextInput]]:
    everything = list(rows)
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]
