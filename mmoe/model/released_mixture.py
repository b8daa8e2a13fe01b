"""The SMoE layer as MMoE's published code computes it: facts to reproduce, not a way to route."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmoe.errors import ConfigError
from mmoe.model.packed import Packed
from mmoe.model.token_linear import in_full_precision

EPSILON = 1e-6
EXPANSION = 4  # inner width of an expert in multiples of its input


class ReleasedMixture(nn.Module):
    """num_experts experts behind a router that marks its choices along the token axis.

    Position r of a sequence keeps expert j if any position of the routing sequence has expert r in place j of
    its choice. So only the first num_experts positions and the first top_k experts can have a gate, and every
    other position comes out as zero. Kept gates are divided by their sum over the batch and multiplied by its
    size: a result depends on what else is in the batch.

    Shape:
        sequences_BLC, and the sequences that route them: float [B, L, C] -> float [B, L, D].
    Source: MMoE's release. Differs from it: experts that no gate can open are not run.
    """

    def __init__(self, dim: int, out: int, num_experts: int, top_k: int) -> None:
        super().__init__()
        self.out, self.num_experts, self.top_k = out, num_experts, top_k
        self.score = nn.Linear(dim, num_experts)
        hidden = EXPANSION * dim
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, out))
            for _ in range(num_experts)
        )

    def forward(self, sequences_BLC: Tensor, routing_BLC: Tensor) -> Tensor:
        gates_BEk = self.gates(routing_BLC)
        num_early = gates_BEk.shape[1]
        early_BEC = sequences_BLC[:, :num_early]
        outputs = [expert(early_BEC) for expert in self.experts[: self.top_k]]
        outputs_BEkD = in_full_precision(torch.stack(outputs, dim=2))
        mixed_BED = (gates_BEk[..., None] * outputs_BEkD).sum(dim=2)
        return nn.functional.pad(mixed_BED, (0, 0, 0, sequences_BLC.shape[1] - num_early))

    def gates(self, routing_BLC: Tensor) -> Tensor:
        """Gates [B, E, k] of the first E positions for the first k experts; all others are zero."""
        probs_BLK = in_full_precision(self.score(routing_BLC)).softmax(dim=-1)
        chosen_BLk = probs_BLK.topk(self.top_k, dim=-1).indices
        num_rows, length = routing_BLC.shape[:2]
        marked_BKk = torch.zeros(
            num_rows, self.num_experts, self.top_k, dtype=torch.bool, device=routing_BLC.device
        ).scatter_(1, chosen_BLk, value=True)
        num_early = min(length, self.num_experts)
        kept_BEk = probs_BLK[:, :num_early, : self.top_k] * marked_BKk[:, :num_early]
        return kept_BEk / (kept_BEk.sum(dim=0, keepdim=True) + EPSILON) * num_rows


def joined(coarse_BC: Tensor, fine: Packed) -> Tensor:
    """[B, 1 + L, C]: each row's coarse feature and its tokens, padding included.

    Raises:
        ConfigError: if rows differ in length, as they do without padding.
    """
    lengths_B = fine.lengths_B
    if bool((lengths_B != lengths_B[0]).any()):
        raise ConfigError(
            "params.yaml: model.name = mmoe_released: texts of different lengths; the published code sees "
            "padding: set encode.keep_padding: true"
        )
    tokens_BLC = fine.values_TC.view(len(lengths_B), -1, fine.values_TC.shape[1])
    return torch.cat([coarse_BC[:, None], tokens_BLC], dim=1)


def parted(sequences_BLD: Tensor, like: Packed) -> tuple[Tensor, Packed]:
    """What `joined` put together: coarse [B, D], and the tokens."""
    tokens_TD = sequences_BLD[:, 1:].flatten(0, 1)
    return sequences_BLD[:, 0], like.with_values(tokens_TD)
