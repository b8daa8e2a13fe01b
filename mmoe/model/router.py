"""Token routing: which experts see which token, and with what weight."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmoe.model.packed import Packed
from mmoe.model.token_linear import TokenLinear


class Routing(NamedTuple):
    """Where every token goes: T tokens, k experts each."""

    experts_Tk: Tensor  # int64 in [0, num_experts)
    gates_Tk: Tensor  # float, the weights of the chosen experts


class TopKRouter(nn.Module):
    """Chooses top_k of num_experts for each token from the token alone.

    Args:
        dim: width C of a token.
        renormalise: divide the kept gates by their sum. The router then gets no gradient at top_k = 1.
    Shape:
        tokens_TC: float [T, C] -> Routing.
    Raises:
        ValueError: unless 1 <= top_k <= num_experts.
    Source: MMoE eq. 3. Differs from the release: the mask runs over experts, not over tokens, so that
        a score never depends on what else is in the batch.
    """

    def __init__(
        self, dim: int, num_experts: int, top_k: int, *, renormalise: bool = False
    ) -> None:
        super().__init__()
        if not 1 <= top_k <= num_experts:
            raise ValueError(
                f"moe.top_k = {top_k}: must lie in [1, moe.num_experts = {num_experts}]"
            )
        self.top_k, self.renormalise = top_k, renormalise
        self.score = TokenLinear(dim, num_experts)

    def forward(self, tokens_TC: Tensor) -> Routing:
        probs_TK = self.score(tokens_TC).softmax(dim=-1)
        gates_Tk, experts_Tk = probs_TK.topk(self.top_k, dim=-1)
        if self.renormalise:
            gates_Tk = gates_Tk / gates_Tk.sum(dim=-1, keepdim=True)
        return Routing(experts_Tk, gates_Tk)


class TokenPositions(NamedTuple):
    """Where T tokens stand: in which of B sequences, and how far from its beginning."""

    sequence_T: Tensor  # int64 in [0, B)
    position_T: Tensor  # int64, 0 for the coarse feature
    num_sequences: int


def token_positions_of(fine: Packed) -> TokenPositions:
    """The positions of B coarse features followed by all fine features, which stand behind them."""
    rows_T, num_sequences = fine.rows_T, len(fine)
    first = torch.arange(num_sequences, device=rows_T.device)
    later = torch.arange(len(rows_T), device=rows_T.device) - fine.starts_B[rows_T] + 1
    return TokenPositions(torch.cat([first, rows_T]), torch.cat([first * 0, later]), num_sequences)


class ReleasedRouter(nn.Module):
    """The router as MMoE's released code has it: a fact to measure, never a default.

    It marks its choices along the token axis instead of the expert axis. So only the first
    num_experts tokens of a sequence (the coarse feature, the first word pieces) can keep a gate, and only
    of the first top_k experts: token r keeps expert j if any token of the sequence has expert r in
    place j of its choice. Kept gates are divided by their sum over the batch and multiplied by its
    size, so that a score depends on what else is in the batch.

    Shape:
        tokens_TC: float [T, C], their places -> Routing to experts 0 … top_k - 1.
    Differs from the release: padding does not take part.
    """

    EPSILON = 1e-6

    def __init__(self, dim: int, num_experts: int, top_k: int) -> None:
        super().__init__()
        self.num_experts, self.top_k = num_experts, top_k
        self.score = TokenLinear(dim, num_experts)

    def forward(self, tokens_TC: Tensor, positions: TokenPositions) -> Routing:
        probs_TK = self.score(tokens_TC).softmax(dim=-1)
        chosen_Tk = probs_TK.topk(self.top_k, dim=-1).indices
        slots_k = torch.arange(self.top_k, device=tokens_TC.device)
        shape = (positions.num_sequences, self.num_experts, self.top_k)
        marked_BKk = torch.zeros(shape, dtype=torch.bool, device=tokens_TC.device)
        marked_BKk[positions.sequence_T[:, None], chosen_Tk, slots_k] = True
        is_early_T = positions.position_T < self.num_experts
        early_T = positions.position_T.clamp(max=self.num_experts - 1)
        kept_Tk = marked_BKk[positions.sequence_T, early_T] & is_early_T[:, None]
        gates_Tk = probs_TK[:, : self.top_k] * kept_Tk
        sums_Kk = gates_Tk.new_zeros(self.num_experts, self.top_k).index_add(0, early_T, gates_Tk)
        scale_Tk = positions.num_sequences / (sums_Kk[early_T] + self.EPSILON)
        return Routing(slots_k.expand(len(tokens_TC), -1), gates_Tk * scale_Tk)
