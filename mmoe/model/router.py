"""Token routing: which experts see which token, and with what weight."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

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
