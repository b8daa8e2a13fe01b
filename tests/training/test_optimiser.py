"""AdamW decays matrices only; a schedule is a function of the step."""

from __future__ import annotations

import pytest
from torch import nn

from mmoe.linking.data import LinkingData
from mmoe.training.optimiser import SCALAR_PACE, build_optimiser, learning_rate

from tests.training.runs import new_matcher, train_params


def test_weight_decay_spares_biases_norms_and_scalars(data: LinkingData) -> None:
    matcher = new_matcher(data)
    optimiser = build_optimiser(matcher, train_params(weight_decay=0.1))
    decayed = {
        id(parameter)
        for group in optimiser.groups
        for parameter in group.parameters
        if group.weight_decay > 0
    }
    for module in matcher.modules():
        for name, parameter in module.named_parameters(recurse=False):
            is_matrix = isinstance(module, nn.Linear) and name == "weight"
            assert (id(parameter) in decayed) == is_matrix, (module, name)


def test_every_parameter_is_trained_once(data: LinkingData) -> None:
    matcher = new_matcher(data)
    optimiser = build_optimiser(matcher, train_params())
    held = [id(p) for group in optimiser.groups for p in group.parameters]
    assert sorted(held) == sorted(id(p) for p in matcher.parameters())


def test_frozen_parameters_are_left_out(data: LinkingData) -> None:
    matcher = new_matcher(data)
    matcher.text_stem.requires_grad_(False)
    optimiser = build_optimiser(matcher, train_params())
    held = {id(p) for group in optimiser.groups for p in group.parameters}
    assert not held & {id(p) for p in matcher.text_stem.parameters()}


def test_the_knobs_arrive(data: LinkingData) -> None:
    params = train_params(adam_eps=1e-5, weight_decay=0.3)
    optimiser = build_optimiser(new_matcher(data), params)
    assert optimiser.eps == 1e-5
    assert [group.weight_decay for group in optimiser.groups] == [0.3, 0.0, 0.0]


def test_scalars_go_at_their_own_pace(data: LinkingData) -> None:
    matcher = new_matcher(data)
    optimiser = build_optimiser(matcher, train_params())
    pace_of = {id(p): group.pace for group in optimiser.groups for p in group.parameters}
    scales = [p for name, p in matcher.named_parameters() if name.endswith("log_scale")]
    assert scales
    assert {pace_of[id(p)] for p in scales} == {SCALAR_PACE}
    assert {pace_of[id(p)] for p in matcher.parameters() if p.ndim} == {1.0}


@pytest.mark.parametrize(
    ("schedule", "rates"), [("constant", [0.4] * 4), ("linear", [0.4, 0.3, 0.2, 0.1])]
)
def test_the_schedule_depends_on_the_step_alone(schedule: str, rates: list[float]) -> None:
    params = train_params(learning_rate=0.4, schedule=schedule)
    assert [learning_rate(params, step, 4) for step in range(4)] == pytest.approx(rates)


def test_no_step_has_a_learning_rate_too() -> None:
    assert learning_rate(train_params(learning_rate=0.4), 0, 0) == 0.4
