"""How long texts are in an encoder's tokens, before any is cut: needs its tokenizer, not its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.encoders.layout import plain_tokens, special_tokens
from mmoe.records import TextInput

CHUNK = 4096


def token_lengths(name: str, rows: Sequence[TextInput]) -> NDArray[np.int64]:
    """Counts what `name separator body description` and the special tokens take, uncut.

    Args:
        name: the encoder, as `encode.model` names it.
    Returns:
        int64, one number a row, in order.
    Raises:
        FeatureStoreError: if there is no such encoder, or its tokenizer is empty.
    """
    # Imported here: torch and transformers take seconds to start.
    from mmoe.encoders.registry import load_tokenizer

    tokenizer = load_tokenizer(name)
    totals = np.full(len(rows), special_tokens(name, tokenizer).total, dtype=np.int64)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        for texts in zip(
            *((row.name, row.body, row.description or "") for row in chunk), strict=True
        ):
            ids = plain_tokens(tokenizer, texts)["input_ids"]
            totals[start : start + CHUNK] += [len(one) for one in ids]
    return totals
