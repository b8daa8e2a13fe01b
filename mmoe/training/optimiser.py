"""AdamW as the paper uses it: no weight decay on biases, LayerNorms and scalars."""

from __future__ import annotations

from torch import nn

from mmoe.config.train import TrainParams
from mmoe.model.adamw import AdamW, ParameterGroup

# The residual similarities' scales: at the pace of the matrices they hardly move in a few epochs.
SCALAR_PACE = 10.0


def build_optimiser(
    model: nn.Module, params: TrainParams, beside: nn.Module | None = None, pace: float = 1.0
) -> AdamW:
    """AdamW over all trainable parameters; scalars take steps SCALAR_PACE times as long.

    Args:
        beside: what is trained together with the model, at `pace` times its learning rate.

    Source: MMoE §4.1 and its release; learning rate and eps are knobs.
    """
    scalars = [p for p in _trainable(model) if p.ndim == 0]
    groups = [*_groups(model, params.weight_decay, 1.0), ParameterGroup(scalars, 0.0, SCALAR_PACE)]
    if beside is not None and _trainable(beside):
        groups += _groups(beside, params.weight_decay, pace)
    return AdamW(groups, params.adam_eps)


def _groups(model: nn.Module, weight_decay: float, pace: float) -> list[ParameterGroup]:
    """Matrices and vectors; a scalar of what is trained beside a matcher is a vector like others."""
    matrices = [p for p in _trainable(model) if p.ndim >= 2]
    vectors = [p for p in _trainable(model) if p.ndim == 1]
    return [
        ParameterGroup(matrices, weight_decay, pace),
        ParameterGroup(vectors, 0.0, pace),
    ]


def _trainable(model: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def learning_rate(params: TrainParams, step: int, num_steps: int) -> float:
    """The learning rate of one step: a function of the step, so nothing to resume.

    Args:
        step: steps taken before it.
        num_steps: steps of all epochs.
    """
    if params.schedule == "constant":
        return params.learning_rate
    return params.learning_rate * (1 - step / max(1, num_steps))
