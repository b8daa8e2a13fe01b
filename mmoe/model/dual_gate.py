"""MIMIC's dual-gated vision unit: exact scores of all pairs from five matrix products a direction."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class DualGate(nn.Module):
    """One direction: the query side's image meets the other side's mean patch behind a gate.

    With q, k the projected pooled images and v the mean projected patch of the other side:
    c = fc(LN(v + q)), score = LN'(tanh(gate(c)) c + k) · LN'(q). The sum v + q enters c through a linear
    map divided by its deviation, so c = (A v + A q) / σ + c₀, and all that the outer LayerNorm needs of a
    pair follows from inner products; no [pairs × D] array is made.

    Shape:
        query cls_BD, other cls_ND, other patch mean_ND -> scores [B, N].
    Source: MIMIC, vision-grained matching; as released.
    """

    def __init__(self, dim: int, embed_dim: int) -> None:
        super().__init__()
        self.cls_fc = nn.Linear(dim, embed_dim)
        self.tokens_fc = nn.Linear(dim, embed_dim)
        self.fc = nn.Linear(embed_dim, embed_dim)
        self.gate_fc = nn.Linear(embed_dim, 1)
        self.add_layer_norm = nn.LayerNorm(embed_dim)
        self.layer_norm = nn.LayerNorm(embed_dim)

    def of_pairs(self, query_PD: Tensor, other_PD: Tensor, mean_PD: Tensor) -> Tensor:
        """The scores [...] of single pairs, by the formula; rows of all three belong together."""
        query, value = self.cls_fc(query_PD), self.tokens_fc(mean_PD)
        context = self.fc(self.add_layer_norm(value + query))
        gated = self.gate_fc(context).tanh() * context + self.cls_fc(other_PD)
        scores: Tensor = (self.layer_norm(gated) * self.layer_norm(query)).sum(dim=-1)
        return scores

    def forward(self, query_BD: Tensor, other_ND: Tensor, mean_ND: Tensor) -> Tensor:
        inner, outer = self.add_layer_norm, self.layer_norm
        query, key = self.cls_fc(query_BD), self.cls_fc(other_ND)
        value = _centred(self.tokens_fc(mean_ND))
        wanted = functional.layer_norm(
            query, outer.normalized_shape, outer.weight, outer.bias, outer.eps
        )
        q = _centred(query)
        dim = q.shape[1]
        variance = (_square(q)[:, None] + _square(value) + 2 * q @ value.T).clamp(min=0) / dim
        deviation = (variance + inner.eps).sqrt()
        linear = self.fc.weight * inner.weight
        constant = functional.linear(inner.bias, self.fc.weight, self.fc.bias)
        moved_q, moved_v = q @ linear.T, value @ linear.T
        gate_q, gate_v = moved_q @ self.gate_fc.weight[0], moved_v @ self.gate_fc.weight[0]
        gate = ((gate_q[:, None] + gate_v) / deviation + self.gate_fc(constant)).tanh()
        share = gate / deviation
        q, v, k, c = (_centred(part) for part in (moved_q, moved_v, key, constant[None]))
        weight = _centred(wanted * outer.weight)
        top = share * ((weight * q).sum(-1)[:, None] + weight @ v.T) + gate * (weight @ c.T)
        top = top + weight @ k.T
        square = share.square() * (_square(q)[:, None] + _square(v) + 2 * q @ v.T)
        square = square + gate.square() * _square(c) + _square(k)
        square = square + 2 * share * gate * (q @ c.T + (v @ c.T).T)
        square = square + 2 * share * (q @ k.T + (v * k).sum(-1)) + 2 * gate * (k @ c.T).T
        scores: Tensor = top / (square.clamp(min=0) / dim + outer.eps).sqrt()
        return scores + (wanted @ outer.bias)[:, None]


def _centred(vectors: Tensor) -> Tensor:
    return vectors - vectors.mean(dim=-1, keepdim=True)


def _square(vectors: Tensor) -> Tensor:
    return vectors.square().sum(dim=-1)
