"""AdamW as the paper uses it: no weight decay on biases, LayerNorms and scalars."""

from __future__ import annotations

import torch
from torch import nn

from mmoe.config.train import TrainParams

# The residual similarities' scales: at the pace of the matrices they hardly move in a few epochs.
SCALAR_PACE = 10.0


def build_optimiser(model: nn.Module, params: TrainParams) -> torch.optim.AdamW:
    """AdamW over all trainable parameters; scalars take steps SCALAR_PACE times as long.

    Source: MMoE §4.1 and its release; learning rate and eps are knobs.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trainable if parameter.ndim >= 2]
    vectors = [parameter for parameter in trainable if parameter.ndim == 1]
    scalars = [parameter for parameter in trainable if parameter.ndim == 0]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": params.weight_decay, "pace": 1.0},
            {"params": vectors, "weight_decay": 0.0, "pace": 1.0},
            {"params": scalars, "weight_decay": 0.0, "pace": SCALAR_PACE},
        ],
        lr=params.learning_rate,
        eps=params.adam_eps,
    )


def set_learning_rate(
    optimiser: torch.optim.Optimizer, params: TrainParams, step: int, num_steps: int
) -> float:
    """Sets the learning rate of one step and returns it: a function of the step, so nothing to resume.

    Args:
        step: steps taken so far.
        num_steps: steps of all epochs.
    """
    left = 1.0 if params.schedule == "constant" else 1 - step / num_steps
    for group in optimiser.param_groups:
        group["lr"] = params.learning_rate * left * group["pace"]
    return params.learning_rate * left
