"""Running each expert on its own tokens gives what running all of them on every token gives."""

from __future__ import annotations

import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mmoe.model.experts import (
    MixtureProjection,
    SparseExperts,
    SparseMixture,
    project,
)
from mmoe.model.packed import Packed
from mmoe.model.router import TopKRouter

from tests.model.matchers import moe_params
from tests.oracles import dense_experts


@given(st.integers(1, 40), st.integers(1, 6), st.data(), st.booleans(), st.integers(0, 2**20))
@settings(deadline=None, max_examples=40)
def test_sparse_equals_dense_in_values_and_gradients(
    num_tokens: int, num_experts: int, data: st.DataObject, renormalise: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    top_k = data.draw(st.integers(1, num_experts))
    router = TopKRouter(7, num_experts, top_k, renormalise=renormalise)
    layer = SparseExperts(7, 11, 3, num_experts)
    tokens = torch.randn(num_tokens, 7, requires_grad=True)
    weights = [tokens, *router.parameters(), *layer.parameters()]
    found, wanted = (
        compute(tokens, router(tokens))
        for compute in (layer, lambda tokens, routing: dense_experts(layer, tokens, routing))
    )
    torch.testing.assert_close(found, wanted)
    gradients = [
        torch.autograd.grad(out.square().sum(), weights, allow_unused=True, materialize_grads=True)
        for out in (found, wanted)
    ]
    for sparse, dense in zip(*gradients, strict=True):
        torch.testing.assert_close(sparse, dense, rtol=1e-4, atol=1e-5)


def test_an_expert_runs_only_on_its_own_tokens() -> None:
    torch.manual_seed(0)
    router, layer = TopKRouter(7, 4, 2), SparseExperts(7, 11, 3, 4)
    seen: list[int] = []
    for expert in layer.experts:
        expert.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    layer(torch.randn(25, 7), router(torch.randn(25, 7)))
    assert sum(seen) == 25 * 2


def test_no_token_at_all_is_no_output() -> None:
    assert SparseMixture(7, 3, moe_params())(torch.randn(0, 7)).shape == (0, 3)


def test_bfloat16_runs_and_stays_close() -> None:
    torch.manual_seed(0)
    layer, tokens = SparseMixture(7, 3, moe_params(top_k=3)), torch.randn(20, 7)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(tokens)
    torch.testing.assert_close(rough.float(), layer(tokens), rtol=0.05, atol=0.05)


def test_load_counts_tokens_while_training_only() -> None:
    torch.manual_seed(0)
    layer = SparseMixture(7, 3, moe_params(num_experts=3, top_k=2))
    layer.eval()(torch.randn(10, 7))
    assert int(layer.load_K.sum()) == 0
    layer.train()(tokens := torch.randn(10, 7))
    chosen = layer.router(tokens).experts_Tk
    assert layer.load_K.tolist() == [int((chosen == i).sum()) for i in range(3)]


def test_inner_layers_add_to_their_input() -> None:
    torch.manual_seed(0)
    stack = MixtureProjection(7, 3, moe_params(num_layers=3, fusion_layers=0))
    for name, parameter in stack.inner.named_parameters():
        if re.search(r"experts\.\d\.2\.", name):  # the experts' last layers
            nn.init.zeros_(parameter)
    tokens = torch.randn(6, 7)
    torch.testing.assert_close(stack(tokens), stack.last(tokens))


def test_coarse_and_fine_go_through_the_same_projection() -> None:
    torch.manual_seed(0)
    projection = MixtureProjection(7, 5, moe_params())
    coarse, fine = torch.randn(2, 7), torch.randn(9, 7)
    h, H = project(projection, coarse, Packed(fine, torch.tensor([4, 5])))
    torch.testing.assert_close(h, projection(coarse))
    torch.testing.assert_close(H, projection(fine))
