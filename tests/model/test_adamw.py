"""AdamW is torch's, step for step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmoe.model.adamw import AdamW, ParameterGroup

RATES = [0.1, 0.05, 0.02, 0.01]


def parameters() -> list[nn.Parameter]:
    draw = torch.Generator().manual_seed(1)
    shapes = ((3, 2), (4,), ())
    return [nn.Parameter(torch.randn(shape, generator=draw)) for shape in shapes]


def set_gradients(of: list[nn.Parameter], step: int) -> None:
    for parameter in of[: 2 if step == 2 else 3]:  # one has none in the third step
        parameter.grad = (parameter * (step + 1)).sin().detach()


def ours(steps: range, found: list[nn.Parameter], optimiser: AdamW) -> None:
    for step in steps:
        optimiser.zero_grad()
        set_gradients(found, step)
        optimiser.step(RATES[step])


def new(found: list[nn.Parameter]) -> AdamW:
    return AdamW([ParameterGroup(found[:1], 0.1), ParameterGroup(found[1:], 0.0, 5.0)], 1e-6)


def torchs() -> list[Tensor]:
    found = parameters()
    groups = [
        {"params": found[:1], "weight_decay": 0.1},
        {"params": found[1:], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, eps=1e-6)
    for step, rate in enumerate(RATES):
        for group, pace in zip(optimiser.param_groups, (1, 5), strict=True):
            group["lr"] = rate * pace
        optimiser.zero_grad()
        set_gradients(found, step)
        optimiser.step()
    return [each.detach() for each in found]


def test_it_takes_the_steps_of_torchs_class() -> None:
    found = parameters()
    ours(range(4), found, new(found))
    torch.testing.assert_close([each.detach() for each in found], torchs(), rtol=0, atol=0)


def test_it_goes_on_from_its_state() -> None:
    found = parameters()
    first = new(found)
    ours(range(2), found, first)
    second = new(found)
    second.load_state_dict(first.state_dict())
    ours(range(2, 4), found, second)
    torch.testing.assert_close([each.detach() for each in found], torchs(), rtol=0, atol=0)
