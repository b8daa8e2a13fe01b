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
        spare = num_fillers(len(tokens_TC), tokens_TC.device.type)
        filled = functional.pad(tokens_TC, (0, 0, 0, spare)) if spare else tokens_TC
        return super().forward(filled)[: len(tokens_TC)]


def num_fillers(num_tokens: int, device_type: str) -> int:
    """By how many rows to fill tokens up to one of a few sizes, at most an eighth more.

    On CPUs oneDNN compiles a bfloat16 kernel for each new number of rows, which takes longer than most
    products with it. Elsewhere there is nothing to fill up.
    """
    if device_type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return 0
    step = max(32, 1 << max(0, num_tokens.bit_length() - 4))
    return -num_tokens % step


def in_compute_dtype(tokens_TC: Tensor) -> Tensor:
    """Tokens in the precision that linear layers compute in here: what is gathered then is half as wide."""
    device = tokens_TC.device.type
    if not torch.is_autocast_enabled(device):
        return tokens_TC
    return tokens_TC.to(torch.get_autocast_dtype(device))


def in_full_precision(values: Tensor) -> Tensor:
    """Half-precision values as float32; all others as they are."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values
