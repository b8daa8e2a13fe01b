"""AdamW as torch's function: `torch.optim.AdamW` first loads torch's compiler, longer than many fits take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

BETA1, BETA2 = 0.9, 0.999
KINDS = ("mean", "square", "steps")  # of what is kept for a parameter


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that are treated alike.

    Attributes:
        pace: their learning rate, in multiples of the one given to a step.
    """

    parameters: list[nn.Parameter]
    weight_decay: float
    pace: float = 1.0


class AdamW:
    """Moves parameters by their gradients.

    Source: Loshchilov and Hutter, ICLR 2019.
    """

    def __init__(self, groups: Sequence[ParameterGroup], eps: float = 1e-8) -> None:
        self.groups, self.eps = tuple(groups), eps
        # Of each group's parameters: means of the gradients and of their squares, steps taken.
        self._state: list[list[list[Tensor]]] = [
            [
                [torch.zeros_like(each) for each in group.parameters],
                [torch.zeros_like(each) for each in group.parameters],
                [torch.tensor(0.0) for _ in group.parameters],
            ]
            for group in self.groups
        ]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step; parameters without a gradient stay as they are."""
        for group, state in zip(self.groups, self._state, strict=True):
            at = [i for i, each in enumerate(group.parameters) if each.grad is not None]
            moved: list[Tensor] = [group.parameters[i] for i in at]
            gradients = [each.grad for each in moved if each.grad is not None]
            means, squares, steps = ([values[i] for i in at] for values in state)
            adamw(
                *(moved, gradients, means, squares, [], steps),
                lr=learning_rate * group.pace,
                weight_decay=group.weight_decay,
                beta1=BETA1,
                beta2=BETA2,
                eps=self.eps,
                amsgrad=False,
                maximize=False,
            )

    def zero_grad(self) -> None:
        """Forgets all gradients."""
        for group in self.groups:
            for parameter in group.parameters:
                parameter.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        """What a run that goes on from here needs."""
        return {
            f"{group}/{kind}/{number}": value
            for group, kinds in enumerate(self._state)
            for kind, values in zip(KINDS, kinds, strict=True)
            for number, value in enumerate(values)
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from there.

        Raises:
            KeyError, RuntimeError: if it belongs to other parameters.
        """
        for name, mine in self.state_dict().items():
            mine.copy_(state[name])  # and not taken: steps stay on the CPU, as torch wants them
