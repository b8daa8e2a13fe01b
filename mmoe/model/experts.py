"""Experts, the SMoE layer made of router and experts, and the projection made of such layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmoe.config.moe import MoeParams
from mmoe.model.packed import Packed
from mmoe.model.router import Routing, TopKRouter
from mmoe.model.token_linear import TokenLinear, in_compute_dtype, num_fillers


class SparseExperts(nn.Module):
    """num_experts feed-forward networks, each run only on the tokens that were routed to it.

    Shape:
        tokens_TC: float [T, C], routing -> float [T, D].
    Cost: top_k / num_experts of the dense layer's multiply-accumulates.
    """

    def __init__(self, dim: int, hidden: int, out: int, num_experts: int) -> None:
        super().__init__()
        self.out = out
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, out))
            for _ in range(num_experts)
        )

    def forward(self, tokens_TC: Tensor, routing: Routing) -> Tensor:
        num_tokens, top_k = routing.gates_Tk.shape
        # Pairs of token and slot sorted by expert: one gather before the experts and one behind them.
        choice = routing.experts_Tk.flatten()
        order = choice.argsort(stable=True)
        counts = choice.bincount(minlength=len(self.experts)).tolist()
        device = tokens_TC.device
        shares = [
            functional.pad(tokens, (0, num_fillers(len(tokens), device.type)))
            for tokens in torch.split(order // top_k, counts)
        ]
        gathered_TC = in_compute_dtype(tokens_TC).index_select(0, torch.cat(shares))
        parts = torch.split(gathered_TC, [len(share) for share in shares])
        outputs = [
            expert(part)[:count]
            for expert, part, count in zip(self.experts, parts, counts, strict=True)
        ]
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=device)
        each_TkD = torch.cat(outputs).index_select(0, place).view(num_tokens, top_k, self.out)
        return (each_TkD * routing.gates_Tk[..., None]).sum(dim=1)


class SparseMixture(nn.Module):
    """One SMoE layer: a router and its experts.

    Attributes:
        load_K: how many (token, slot) pairs each expert got while training, since it was last read.
    Source: MMoE eq. 3.
    """

    def __init__(self, dim: int, out: int, params: MoeParams) -> None:
        super().__init__()
        self.router = TopKRouter(
            dim, params.num_experts, params.top_k, renormalise=params.renormalise
        )
        self.experts = SparseExperts(dim, params.expansion * dim, out, params.num_experts)
        self.load_K: Tensor
        self.register_buffer("load_K", torch.zeros(params.num_experts, dtype=torch.int64))

    def forward(self, tokens_TC: Tensor) -> Tensor:
        routing = self.router(tokens_TC)
        if self.training:
            self.load_K += routing.experts_Tk.flatten().bincount(minlength=len(self.load_K))
        mixed: Tensor = self.experts(tokens_TC, routing)
        return mixed


class MixtureProjection(nn.Module):
    """Coarse and fine features to width `out` through an MLP and a stack of SMoE layers.

    Layers before the last keep their width and add to their input.

    Shape:
        tokens_TC: float [T, C] -> float [T, out].
    Source: MMoE §3.4, steps (1) and (2). Differs from the release: it has no MLP before the experts
        (moe.fusion_layers = 0).
    """

    def __init__(self, dim: int, out: int, params: MoeParams) -> None:
        super().__init__()
        fusion: list[nn.Module] = []
        for _ in range(params.fusion_layers):
            fusion += [TokenLinear(dim, dim), nn.GELU()]
        self.fusion = nn.Sequential(*fusion)
        self.inner = nn.ModuleList(
            SparseMixture(dim, dim, params) for _ in range(params.num_layers - 1)
        )
        self.last = SparseMixture(dim, out, params)

    def forward(self, tokens_TC: Tensor) -> Tensor:
        tokens_TC = self.fusion(tokens_TC)
        for layer in self.inner:
            tokens_TC = tokens_TC + layer(tokens_TC)
        projected: Tensor = self.last(tokens_TC)
        return projected


def project(projection: nn.Module, coarse_BC: Tensor, fine: Packed) -> tuple[Tensor, Tensor]:
    """Coarse and fine features through one projection, joined and split again: [B, D] and [T, D].

    Source: MMoE §3.4, steps (1) and (3).
    """
    joined: Tensor = projection(torch.cat([coarse_BC, fine.values_TC]))
    return joined[: len(coarse_BC)], joined[len(coarse_BC) :]
