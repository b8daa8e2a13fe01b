"""Linear layers over a number of tokens that differs from batch to batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class TokenLinear(nn.Linear):
    """`nn.Linear` for packed tokens; the same values, without a kernel compiled for every batch.

    Shape:
        tokens_TC: float [T, C] -> float [T, D].
    """

    def forward(self, tokens_TC: Tensor) -> Tensor:
        spare = num_fillers(tokens_TC)
        filled = functional.pad(tokens_TC, (0, 0, 0, spare)) if spare else tokens_TC
        return super().forward(filled)[: len(tokens_TC)]


def num_fillers(tokens_TC: Tensor) -> int:
    """By how many rows to fill tokens up to one of a few sizes, at most an eighth more.

    On CPUs oneDNN compiles a bfloat16 kernel for each new number of rows, which takes longer than most
    products with it. Elsewhere there is nothing to fill up.
    """
    if tokens_TC.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return 0
    rows = len(tokens_TC)
    step = max(32, 1 << max(0, rows.bit_length() - 4))
    return -rows % step
