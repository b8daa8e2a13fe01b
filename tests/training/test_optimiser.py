"""AdamW decays matrices only; a schedule is a function of the step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmoe.linking.data import LinkingData
from mmoe.training.optimiser import SCALAR_PACE, build_optimiser, set_learning_rate

from tests.training.runs import new_matcher, train_params


def test_weight_decay_spares_biases_norms_and_scalars(data: LinkingData) -> None:
    matcher = new_matcher(data)
    optimiser = build_optimiser(matcher, train_params(weight_decay=0.1))
    decayed = {
        id(parameter)
        for group in optimiser.param_groups
        for parameter in group["params"]
        if group["weight_decay"] > 0
    }
    for module in matcher.modules():
        for name, parameter in module.named_parameters(recurse=False):
            is_matrix = isinstance(module, nn.Linear) and name == "weight"
            assert (id(parameter) in decayed) == is_matrix, (module, name)


def test_every_parameter_is_trained_once(data: LinkingData) -> None:
    matcher = new_matcher(data)
    optimiser = build_optimiser(matcher, train_params())
    held = [id(p) for group in optimiser.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in matcher.parameters())


def test_frozen_parameters_are_left_out(data: LinkingData) -> None:
    matcher = new_matcher(data)
    matcher.text_stem.requires_grad_(False)
    optimiser = build_optimiser(matcher, train_params())
    held = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert not held & {id(p) for p in matcher.text_stem.parameters()}


def test_the_knobs_arrive(data: LinkingData) -> None:
    params = train_params(learning_rate=0.02, adam_eps=1e-5, weight_decay=0.3)
    optimiser = build_optimiser(new_matcher(data), params)
    assert optimiser.defaults["eps"] == 1e-5
    assert [group["lr"] for group in optimiser.param_groups] == [0.02] * 3
    assert [group["weight_decay"] for group in optimiser.param_groups] == [0.3, 0.0, 0.0]


def test_scalars_go_at_their_own_pace(data: LinkingData) -> None:
    matcher = new_matcher(data)
    params = train_params(learning_rate=0.02)
    optimiser = build_optimiser(matcher, params)
    set_learning_rate(optimiser, params, 0, 9)
    rate_of = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    scales = [p for name, p in matcher.named_parameters() if name.endswith("log_scale")]
    assert scales
    assert {rate_of[id(p)] for p in scales} == {0.02 * SCALAR_PACE}
    assert {rate_of[id(p)] for p in matcher.parameters() if p.ndim} == {0.02}


@pytest.mark.parametrize(
    ("schedule", "rates"), [("constant", [0.4] * 4), ("linear", [0.4, 0.3, 0.2, 0.1])]
)
def test_the_schedule_depends_on_the_step_alone(schedule: str, rates: list[float]) -> None:
    group = {"params": [nn.Parameter(torch.zeros(2))], "pace": 1.0}
    optimiser = torch.optim.AdamW([group], lr=9.0)
    params = train_params(learning_rate=0.4, schedule=schedule)
    found = [set_learning_rate(optimiser, params, step, 4) for step in (3, 1, 0, 2)]
    assert found == pytest.approx([rates[3], rates[1], rates[0], rates[2]])
    assert optimiser.param_groups[0]["lr"] == pytest.approx(rates[2])
