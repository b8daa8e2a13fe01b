"""A token's route depends on the token alone, and the router learns."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mmoe.model.experts import SparseMixture
from mmoe.model.router import TopKRouter

from tests.model.matchers import moe_params


@given(st.integers(1, 30), st.integers(1, 6), st.data(), st.integers(0, 2**20))
@settings(deadline=None, max_examples=25)
def test_a_token_does_not_see_its_neighbours(
    num_tokens: int, num_experts: int, data: st.DataObject, seed: int
) -> None:
    torch.manual_seed(seed)
    top_k = data.draw(st.integers(1, num_experts))
    router, tokens = TopKRouter(7, num_experts, top_k), torch.randn(num_tokens, 7)
    together = router(tokens)
    for t in range(num_tokens):
        alone = router(tokens[t : t + 1])
        assert torch.equal(alone.experts_Tk[0], together.experts_Tk[t])
        torch.testing.assert_close(alone.gates_Tk[0], together.gates_Tk[t])


def test_order_does_not_matter() -> None:
    torch.manual_seed(0)
    router, tokens, order = TopKRouter(7, 5, 3), torch.randn(20, 7), torch.randperm(20)
    straight, shuffled = router(tokens), router(tokens[order])
    assert torch.equal(shuffled.experts_Tk, straight.experts_Tk[order])
    torch.testing.assert_close(shuffled.gates_Tk, straight.gates_Tk[order])


def test_padding_does_not_matter() -> None:
    torch.manual_seed(0)
    router, tokens = TopKRouter(7, 5, 3), torch.randn(4, 7)
    padded = router(torch.cat([tokens, torch.zeros(6, 7)]))
    bare = router(tokens)
    assert torch.equal(padded.experts_Tk[:4], bare.experts_Tk)
    torch.testing.assert_close(padded.gates_Tk[:4], bare.gates_Tk)


def test_the_most_probable_experts_are_kept_with_their_softmax_weights() -> None:
    router = TopKRouter(2, 4, 2)
    with torch.no_grad():
        router.score.weight.copy_(torch.tensor([[0.0, 0], [1, 0], [0, 1], [2, 0]]))
        router.score.bias.zero_()
        routing = router(torch.tensor([[1.0, 0.5]]))
    logits = torch.tensor([0.0, 1.0, 0.5, 2.0])
    assert routing.experts_Tk.tolist() == [[3, 1]]
    torch.testing.assert_close(routing.gates_Tk[0], logits.softmax(0)[[3, 1]])


def test_renormalised_gates_sum_to_one() -> None:
    torch.manual_seed(0)
    tokens = torch.randn(9, 7)
    plain, renormalised = TopKRouter(7, 5, 3), TopKRouter(7, 5, 3, renormalise=True)
    renormalised.load_state_dict(plain.state_dict())
    gates, ones = plain(tokens).gates_Tk, renormalised(tokens).gates_Tk
    assert (gates.sum(dim=-1) < 0.999).all()
    torch.testing.assert_close(ones, gates / gates.sum(dim=-1, keepdim=True))
    assert torch.equal(plain(tokens).experts_Tk, renormalised(tokens).experts_Tk)


@pytest.mark.parametrize(("renormalise", "learns"), [(False, True), (True, False)])
def test_the_router_learns_at_top_1_unless_gates_are_renormalised(
    renormalise: bool, learns: bool
) -> None:
    torch.manual_seed(0)
    layer = SparseMixture(7, 5, moe_params(num_experts=4, top_k=1, renormalise=renormalise))
    layer(torch.randn(30, 7)).square().sum().backward()
    gradient = layer.router.score.weight.grad
    assert gradient is not None
    assert (float(gradient.norm()) > 1e-3) is learns


@pytest.mark.parametrize("top_k", [0, 5])
def test_top_k_beyond_the_experts_names_the_knob(top_k: int) -> None:
    rule = rf"moe\.top_k = {top_k}: must lie in \[1, moe\.num_experts = 4\]"
    with pytest.raises(ValueError, match=rule):
        TopKRouter(7, num_experts=4, top_k=top_k)


def test_params_name_the_knob_too() -> None:
    rule = r"moe\.top_k = 5: must lie in \[1, moe\.num_experts = 4\]"
    with pytest.raises(ValidationError, match=rule):
        moe_params(num_experts=4, top_k=5)
