"""One forward and backward pass of the experts: routed tokens only, against every expert on every token.

usage  python -m benchmarks.experts
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmoe.model.experts import SparseExperts
from mmoe.model.router import TopKRouter

from benchmarks.measure import alternating_seconds, print_result

TOKENS, WIDTH, EMBED, EXPERTS, TOP_K = 4096, 512, 96, 8, 2


def main() -> None:
    torch.manual_seed(0)
    router = TopKRouter(WIDTH, EXPERTS, TOP_K)
    layer = SparseExperts(WIDTH, 4 * WIDTH, EMBED, EXPERTS)
    tokens = torch.randn(TOKENS, WIDTH)

    def sparse() -> Tensor:
        mixed: Tensor = layer(tokens, router(tokens))
        return mixed

    def dense() -> Tensor:
        """The released code's way: all experts run, the gates of the others are zero."""
        routing = router(tokens)
        gates = tokens.new_zeros(TOKENS, EXPERTS).scatter(1, routing.experts_Tk, routing.gates_Tk)
        every = torch.stack([expert(tokens) for expert in layer.experts], dim=1)
        return (gates[..., None] * every).sum(dim=1)

    ours, plain = alternating_seconds(
        lambda: sparse().square().sum().backward(),  # type: ignore[no-untyped-call]
        lambda: dense().square().sum().backward(),  # type: ignore[no-untyped-call]
    )
    print_result("experts.step", 1000 * ours, "ms", 1000 * plain, higher_is_better=False)


if __name__ == "__main__":
    main()
