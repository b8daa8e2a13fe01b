"""Token sequences of different lengths without padding: all tokens in one matrix, and the lengths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Packed:
    """B sequences: T tokens in all, those of one sequence standing together.

    Attributes:
        values_TC: float [T, C].
        lengths_B: int64 [B], each at least 1; they add up to T.
    """

    values_TC: Tensor
    lengths_B: Tensor

    def __len__(self) -> int:
        return len(self.lengths_B)

    @property
    def rows_T(self) -> Tensor:
        """int64 [T]: the sequence that each token belongs to."""
        return torch.repeat_interleave(
            torch.arange(len(self.lengths_B), device=self.lengths_B.device),
            self.lengths_B,
            output_size=len(self.values_TC),
        )

    @cached_property
    def starts_B(self) -> Tensor:
        """int64 [B]: where each sequence starts."""
        return self.lengths_B.cumsum(0) - self.lengths_B

    def with_values(self, values_TC: Tensor) -> Packed:
        """The same sequences with other token vectors."""
        return Packed(values_TC, self.lengths_B)

    def padded(self) -> tuple[Tensor, Tensor]:
        """Tokens as [B, L, C], zeros behind each sequence's end, and their mask, bool [B, L]."""
        longest = int(self.lengths_B.max())
        mask_BL = torch.arange(longest, device=self.lengths_B.device) < self.lengths_B[:, None]
        slots_T = torch.where(mask_BL.flatten())[0]
        width = self.values_TC.shape[1]
        flat = self.values_TC.new_zeros(len(self) * longest, width)
        padded = flat.index_copy(0, slots_T, self.values_TC)
        return padded.view(len(self), longest, width), mask_BL

    def select(self, rows: Tensor) -> Packed:
        """The sequences at `rows` (int64, any order, repeats allowed)."""
        lengths = self.lengths_B[rows]
        positions = packed_positions(self.starts_B[rows], lengths)
        # index_select and not [...]: the gradient of that is added up in an order that varies.
        return Packed(self.values_TC.index_select(0, positions), lengths)

    def part(self, start: int, stop: int) -> Packed:
        """The sequences from `start` to `stop`, without a copy."""
        lengths = self.lengths_B[start:stop]
        first = int(self.starts_B[start]) if start < len(self) else len(self.values_TC)
        return Packed(self.values_TC[first : first + int(lengths.sum())], lengths)

    def split(self, size: int) -> list[Packed]:
        """Parts of at most `size` sequences, in order."""
        lengths = torch.split(self.lengths_B, size)
        values = torch.split(self.values_TC, [int(part.sum()) for part in lengths])
        return [Packed(*part) for part in zip(values, lengths, strict=True)]

    def mean(self) -> Tensor:
        """[B, C]: the mean of each sequence's tokens."""
        return segment_mean(self.values_TC, self)

    @staticmethod
    def concatenate(parts: list[Packed]) -> Packed:
        """The sequences of all parts, in order."""
        return Packed(
            torch.cat([part.values_TC for part in parts]),
            torch.cat([part.lengths_B for part in parts]),
        )


def packed_positions(starts_B: Tensor, lengths_B: Tensor) -> Tensor:
    """int64 [T]: the positions starts[i], starts[i] + 1, … of every sequence, one after the other."""
    before_B = lengths_B.cumsum(0) - lengths_B
    shift_T = torch.repeat_interleave(starts_B - before_B, lengths_B)
    return shift_T + torch.arange(len(shift_T), device=shift_T.device)


def segment_mean(values: Tensor, like: Packed) -> Tensor:
    """Mean over each sequence of `like` of any [T, ...] tensor with one entry a token: [B, ...]."""
    total = values.new_zeros(len(like), *values.shape[1:]).index_add(0, like.rows_T, values)
    return total / like.lengths_B.view(-1, *[1] * (values.ndim - 1)).to(values.dtype)
