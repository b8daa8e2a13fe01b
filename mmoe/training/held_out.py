"""Which train mentions a matcher learns from, which decide when it stops, and how these are ranked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmoe.config.train import TrainParams
from mmoe.errors import TrainingError
from mmoe.evaluation.estimates import reciprocals
from mmoe.linking.data import LinkingData
from mmoe.linking.sides import Side
from mmoe.linking.whole_kb import build_index, rank_records
from mmoe.model.matcher import Matcher
from mmoe.training.streams import Stream, generator

MOST_HELD_OUT = 500  # enough to tell two epochs apart by some tenths of MRR
MOST_ENTITIES = 50_000  # among which they are ranked: every epoch encodes these anew


def split_mentions(data: LinkingData[Side], params: TrainParams) -> tuple[Tensor, Tensor]:
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


def ranked_entities(data: LinkingData[Side], mentions: Tensor, seed: int) -> Tensor:
    """The entities among which held-out mentions are ranked: positions, ascending.

    All, or of a larger knowledge base MOST_ENTITIES: the mentions' gold entities, and others at random.
    """
    order = generator(seed, Stream.HELD_OUT).permutation(len(data.entities))
    gold = np.unique(data.gold_of(mentions).numpy())
    others = order[~np.isin(order, gold)][: max(0, MOST_ENTITIES - len(gold))]
    return torch.from_numpy(np.sort(np.concatenate([gold, others])))


@torch.no_grad()
def held_out_mrr(
    matcher: Matcher,
    mentions: Tensor,
    *,
    data: LinkingData[Side],
    seed: int,
    precision: str = "float32",
    folder: Path | None = None,
) -> float:
    """MRR (×100) of a matcher on some mentions, among `ranked_entities`.

    Args:
        precision: of the products that encode the entities.
        folder: takes the index's files; None keeps it in memory.
    """
    device = next(matcher.parameters()).device
    rows = ranked_entities(data, mentions, seed)
    index = build_index(matcher, data.entity_side.select(rows), device, precision, folder)
    gold = torch.searchsorted(rows, data.gold_of(mentions))
    ranks = rank_records(index, data.mention_side, mentions, gold, device).ranks
    return float(reciprocals(ranks.pessimistic).mean())
