"""The released code's routing, held against its own steps written out on padded tensors."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.model.experts import MixtureProjection, project
from mmoe.model.packed import Packed
from mmoe.model.router import ReleasedRouter, token_positions_of

from tests.model.matchers import moe_params


def dense_gates(router: ReleasedRouter, tokens_BLC: Tensor) -> Tensor:
    """Gates [B, L, K] by a scatter along axis 1, as the release does it."""
    probs = router.score(tokens_BLC).softmax(-1)
    chosen = probs.topk(router.top_k, dim=-1).indices
    mask = torch.zeros_like(probs).scatter_(1, chosen, 1)
    kept = probs * mask
    gates: Tensor = kept / (kept.sum(0, keepdim=True) + router.EPSILON) * len(tokens_BLC)
    return gates


def packed_gates(router: ReleasedRouter, coarse_BC: Tensor, fine: Packed) -> Tensor:
    """Gates [B + T, K] of our router."""
    tokens = torch.cat([coarse_BC, fine.values_TC])
    routing = router(tokens, token_positions_of(fine))
    gates = tokens.new_zeros(len(tokens), router.num_experts)
    return gates.scatter_(1, routing.experts_Tk, routing.gates_Tk)


@settings(deadline=None)
@given(
    num_sequences=st.integers(1, 5),
    length=st.integers(1, 9),
    num_experts=st.integers(1, 6),
    data=st.data(),
)
def test_gates_are_those_of_the_release(
    num_sequences: int, length: int, num_experts: int, data: st.DataObject
) -> None:
    # The release's scatter needs a row for each expert that may be chosen.
    length = max(length, num_experts - 1)
    top_k = data.draw(st.integers(1, num_experts))
    torch.manual_seed(data.draw(st.integers(0, 99)))
    router = ReleasedRouter(4, num_experts, top_k)
    coarse, tokens = torch.randn(num_sequences, 4), torch.randn(num_sequences, length, 4)
    fine = Packed(tokens.flatten(0, 1), torch.full((num_sequences,), length))
    dense = dense_gates(router, torch.cat([coarse[:, None], tokens], dim=1))
    found = packed_gates(router, coarse, fine)
    torch.testing.assert_close(found[:num_sequences], dense[:, 0])
    torch.testing.assert_close(found[num_sequences:], dense[:, 1:].flatten(0, 1))


def test_only_early_tokens_keep_gates_and_late_experts_get_none() -> None:
    torch.manual_seed(0)
    router = ReleasedRouter(4, 4, 3)
    fine = Packed(torch.randn(30, 4), torch.tensor([9, 21]))
    gates = packed_gates(router, torch.randn(2, 4), fine)
    assert not gates[:, 3].any()
    position = token_positions_of(fine).position_T
    assert not gates[position >= 4].any()
    assert gates[position == 0].any()


def test_a_score_depends_on_what_else_is_in_the_batch() -> None:
    """The flaw that our own router does not have."""
    torch.manual_seed(0)
    coarse, fine = torch.randn(3, 7), Packed(torch.randn(12, 7), torch.tensor([3, 4, 5]))
    alone = Packed(fine.values_TC[:3], fine.lengths_B[:1])
    for name, depends in (("released", True), ("topk", False)):
        projection = MixtureProjection(7, 5, moe_params(router=name))
        together, _ = project(projection, coarse, fine)
        by_itself, _ = project(projection, coarse[:1], alone)
        assert torch.allclose(together[:1], by_itself, atol=1e-5) is not depends


@pytest.mark.parametrize("num_layers", [1, 2])
def test_it_runs_in_stacks_and_learns(num_layers: int) -> None:
    projection = MixtureProjection(7, 5, moe_params(router="released", num_layers=num_layers))
    h, _ = project(
        projection, torch.randn(3, 7), Packed(torch.randn(9, 7), torch.tensor([2, 3, 4]))
    )
    h.sum().backward()  # type: ignore[no-untyped-call]
    assert projection.last.router.score.weight.grad is not None
