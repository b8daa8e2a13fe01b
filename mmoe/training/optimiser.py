"""AdamW as the paper uses it: no weight decay on biases, LayerNorms and scalars."""

from __future__ import annotations

from torch import nn

from mmoe.config.train import TrainParams
from mmoe.model.adamw import AdamW, ParameterGroup

# The residual similarities' scales: at the pace of the matrices they hardly move in a few epochs.
SCALAR_PACE = 10.0


def build_optimiser(model: nn.Module, params: TrainParams) -> AdamW:
    """AdamW over all trainable parameters; scalars take steps SCALAR_PACE times as long.

    Source: MMoE §4.1 and its release; learning rate and eps are knobs.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trainable if parameter.ndim >= 2]
    vectors = [parameter for parameter in trainable if parameter.ndim == 1]
    scalars = [parameter for parameter in trainable if parameter.ndim == 0]
    groups = [
        ParameterGroup(matrices, params.weight_decay),
        ParameterGroup(vectors, 0.0),
        ParameterGroup(scalars, 0.0, SCALAR_PACE),
    ]
    return AdamW(groups, params.adam_eps)


def learning_rate(params: TrainParams, step: int, num_steps: int) -> float:
    """The learning rate of one step: a function of the step, so nothing to resume.

    Args:
        step: steps taken before it.
        num_steps: steps of all epochs.
    """
    if params.schedule == "constant":
        return params.learning_rate
    return params.learning_rate * (1 - step / max(1, num_steps))
