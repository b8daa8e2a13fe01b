"""The residual as an inner product equals τ cos(a, b), or τ b₀ where a side is missing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.model.residual import INITIAL_SCALE, CosineResidual

from tests.oracles import cosine

MASK = st.none() | st.lists(st.booleans(), min_size=1, max_size=5)


def vectors(mask: list[bool] | None, rows: int) -> tuple[Tensor, Tensor | None]:
    if mask is None:
        return torch.randn(rows, 4), None
    return torch.randn(len(mask), 4), torch.tensor(mask)


@given(MASK, MASK, st.floats(-1, 1), st.floats(0.5, 50), st.integers(0, 2**20))
@settings(deadline=None, max_examples=40)
def test_the_inner_product_is_the_definition(
    has_m: list[bool] | None, has_e: list[bool] | None, missing: float, scale: float, seed: int
) -> None:
    torch.manual_seed(seed)
    (mentions, mask_m), (entities, mask_e) = vectors(has_m, 3), vectors(has_e, 2)
    residual = CosineResidual()
    with torch.no_grad():
        residual.missing.fill_(missing)
        residual.log_scale.copy_(torch.tensor(scale).log())
        found = residual.mention(mentions, mask_m) @ residual.entity(entities, mask_e).T
    for i, a in enumerate(mentions):
        for j, b in enumerate(entities):
            both = (mask_m is None or mask_m[i]) and (mask_e is None or mask_e[j])
            wanted = scale * (cosine(a, b) if both else torch.tensor(missing))
            torch.testing.assert_close(found[i, j], wanted, rtol=1e-4, atol=1e-4)


def test_it_starts_at_the_given_scale_and_stays_positive() -> None:
    residual = CosineResidual()
    same = torch.tensor([[3.0, 4.0]])
    assert (residual.mention(same) @ residual.entity(same).T).item() == pytest.approx(INITIAL_SCALE)
    with torch.no_grad():
        residual.log_scale.fill_(-30.0)
    assert (residual.mention(same) @ residual.entity(same).T).item() > 0


def test_calibration_takes_the_mean_cosine_of_pairs_with_both_sides() -> None:
    torch.manual_seed(0)
    residual, mentions, entities = CosineResidual(), torch.randn(4, 3), torch.randn(5, 3)
    has_m, has_e = torch.tensor([1, 0, 1, 1]).bool(), torch.tensor([0, 1, 1, 0, 1]).bool()
    residual.calibrate(mentions, entities, has_m, has_e)
    cosines = [cosine(a, b) for a in mentions[has_m] for b in entities[has_e]]
    torch.testing.assert_close(residual.missing.detach(), torch.stack(cosines).mean())


def test_calibration_without_any_pair_leaves_the_constant() -> None:
    residual, none = CosineResidual(), torch.zeros(2, dtype=torch.bool)
    residual.calibrate(torch.randn(2, 3), torch.randn(4, 3), none, None)
    assert residual.missing.item() == 0
    residual.calibrate(torch.randn(2, 3), torch.randn(2, 3), None, none)
    assert residual.missing.item() == 0


def test_an_all_zero_vector_has_cosine_zero() -> None:
    residual = CosineResidual()
    found = residual.mention(torch.zeros(1, 3)) @ residual.entity(torch.randn(2, 3)).T
    assert found.tolist() == [[0.0, 0.0]]
