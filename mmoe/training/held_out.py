"""Which train mentions a matcher learns from, and which decide when it stops."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmoe.config.train import TrainParams
from mmoe.errors import TrainingError
from mmoe.linking.data import LinkingData
from mmoe.training.streams import Stream, generator

MOST_HELD_OUT = 500  # enough to tell two epochs apart by some tenths of MRR


def split_mentions(data: LinkingData, params: TrainParams) -> tuple[Tensor, Tensor]:
    """The mentions to learn from, and those held out for early stopping: rows of the data, ascending.

    Stopping by a part of train leaves the validation mentions to what is fitted on top of a matcher. Of a
    smaller `train.fraction` both sets are parts of a larger one's. Where the held-out part would be empty,
    the validation mentions take its place, as in the papers.

    Raises:
        TrainingError: if there is no mention to learn from.
    """
    mentions = data.linkable("train")
    if not len(mentions):
        raise TrainingError("no training mention has its gold entity in the knowledge base")
    order = generator(params.seed, Stream.FRACTION).permutation(len(mentions))
    order = order[: max(1, round(params.fraction * len(mentions)))]
    counts = np.floor(params.held_out * np.arange(len(order) + 1))
    # Evenly, so that every first part of the order holds its share.
    is_held_out = np.diff(counts) > 0
    is_held_out &= counts[1:] <= MOST_HELD_OUT
    learned, held_out = (
        mentions[torch.from_numpy(np.sort(order[chosen]))] for chosen in (~is_held_out, is_held_out)
    )
    return learned, held_out if len(held_out) else data.linkable("valid")
