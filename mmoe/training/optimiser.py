"""AdamW as the paper uses it: no weight decay on biases, LayerNorms and scalars."""

from __future__ import annotations

import torch
from torch import nn

from mmoe.config.train import TrainParams


def build_optimiser(model: nn.Module, params: TrainParams) -> torch.optim.AdamW:
    """AdamW over all trainable parameters.

    Source: MMoE §4.1 and its release; learning rate and eps are knobs.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trainable if parameter.ndim >= 2]
    others = [parameter for parameter in trainable if parameter.ndim < 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": params.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=params.learning_rate,
        eps=params.adam_eps,
    )
