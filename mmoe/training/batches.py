"""Which mentions make a step, which entities they are compared with, and the scores of both.

Mentions that are easily confused stand together: the gold entities of some are hard negatives of another.
Most of what a step computes is the entities' side, and this way each entity serves many mentions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mmoe.config.train import TrainParams
from mmoe.linking.data import LinkingData
from mmoe.linking.device import computing_in
from mmoe.linking.sides import Side
from mmoe.model.encoded import EncodedEntities, EncodedMentions, select
from mmoe.model.features import SideFeatures
from mmoe.model.losses import LossBatch
from mmoe.model.matcher import Matcher
from mmoe.training.mining import mine_negatives
from mmoe.training.streams import Stream, generator


class Batch(NamedTuple):
    """One step.

    Attributes:
        mentions: int64 [B], positions of the mentions.
        negatives: int64 [B, n], mined negatives that each brings along.
    """

    mentions: Tensor
    negatives: Tensor


class Batches:
    """The batches of every epoch; an epoch's depend on (seed, epoch) alone.

    Args:
        mentions: int64 [M], positions of the training mentions.
    """

    def __init__(self, data: LinkingData[Side], mentions: Tensor, params: TrainParams) -> None:
        self._mentions, self._params = mentions, params
        self._gold = data.gold_of(mentions)
        self._mined = mine_negatives(data, mentions, params.mining_depth)

    def of_epoch(self, epoch: int) -> list[Batch]:
        """Every training mention once; where a batch is full, a part goes on in the next."""
        rng = generator(self._params.seed, Stream.ORDER, epoch)
        size = self._params.confusable
        parts = confusable_parts(self._gold.numpy(), self._mined.numpy(), size, rng)
        order = torch.tensor([mention for part in parts for mention in part])
        drawn = self._draw(epoch)
        return [
            Batch(self._mentions[rows], drawn[rows])
            for rows in torch.split(order, self._params.batch_size)
        ]

    def _draw(self, epoch: int) -> Tensor:
        """[M, mined_negatives] of the mined ones, without replacement."""
        count = min(self._params.mined_negatives, self._mined.shape[1])
        keys = generator(self._params.seed, Stream.NEGATIVES, epoch).random(
            tuple(self._mined.shape)
        )
        columns = torch.from_numpy(np.argpartition(keys, count - 1, axis=1)[:, :count].copy())
        return self._mined.gather(1, columns) if count else self._mined[:, :0]


def confusable_parts(
    gold_M: NDArray[np.int64],
    mined_MD: NDArray[np.int64],
    size: int,
    rng: np.random.Generator,
) -> list[list[int]]:
    """The mentions at random, in parts that are easily confused.

    A mention draws up to size - 1 others, of different gold entities that are among its own mined negatives.

    Args:
        gold_M: each mention's gold entity; mined_MD: its hard negatives.
        size: the largest number of mentions in a part.
    Returns:
        Positions in `gold_M`, each in one part; a part begins with the mention that drew the others.
    """
    free: dict[int, list[int]] = {}
    for mention in rng.permutation(len(gold_M)).tolist():
        free.setdefault(int(gold_M[mention]), []).append(mention)
    taken = np.zeros(len(gold_M), dtype=bool)
    parts: list[list[int]] = []
    for mention in rng.permutation(len(gold_M)).tolist():
        if taken[mention]:
            continue
        taken[mention] = True
        part = [mention]
        for entity in rng.permutation(mined_MD[mention]).tolist() if size > 1 else []:
            if len(part) == size:
                break
            waiting = free.get(entity, [])
            while waiting and taken[waiting[-1]]:
                waiting.pop()
            if waiting:
                part.append(waiting.pop())
                taken[part[-1]] = True
        parts.append(part)
    return [parts[i] for i in rng.permutation(len(parts))]


class _Group(NamedTuple):
    """Mentions that are compared with the same entities."""

    scores: dict[str, Tensor]
    gold_column: Tensor


class LoadedBatch(NamedTuple):
    """A batch, or a part of one, with its features.

    Attributes:
        batch: what was read.
        places: int64 [B, 1 + n], where each mention's gold entity and negatives stand among the entities.
        mentions, entities: features, as they are stored.
    """

    batch: Batch
    places: Tensor
    mentions: SideFeatures
    entities: SideFeatures


def load_batch(data: LinkingData[Side], batch: Batch) -> LoadedBatch:
    """Reads the features of a batch's mentions and of every entity that one of them is compared with."""
    entities, places = torch.unique(
        torch.cat([data.gold_of(batch.mentions)[:, None], batch.negatives], dim=1),
        return_inverse=True,
    )
    read = data.mention_side.read(batch.mentions), data.entity_side.read(entities)
    return LoadedBatch(batch, places, *read)


def loss_batch(
    matcher: Matcher, data: LinkingData[Side], loaded: LoadedBatch, group_size: int, precision: str
) -> LossBatch:
    """Scores of a batch: each mention with all gold entities and mined negatives of its group.

    Args:
        group_size: how many consecutive mentions share them.
    """
    device, places = next(matcher.parameters()).device, loaded.places
    gold = data.gold_of(loaded.batch.mentions)
    mention_features = loaded.mentions.computable(device)
    entity_features = loaded.entities.computable(device)
    with computing_in(precision, device):
        encoded = matcher.encode_mentions(mention_features)
        everyone = matcher.encode_entities(entity_features)
        groups = [
            _group(matcher, select(encoded, rows.to(device)), everyone, places[rows], device)
            for rows in torch.split(torch.arange(len(gold)), group_size)
        ]
    return LossBatch(
        *_side_by_side(groups),
        mention_features,
        lambda: data.entity_side.gather(gold, device),
        gold.to(device),
    )


def _group(
    matcher: Matcher,
    mentions: EncodedMentions,
    everyone: EncodedEntities,
    places: Tensor,
    device: torch.device,
) -> _Group:
    """One group.

    Args:
        places: int64 [G, 1 + n], positions among `everyone` of each mention's gold entity and negatives.
    """
    columns, inverse = torch.unique(places, return_inverse=True)
    scores = matcher.scores(mentions, select(everyone, columns.to(device)))
    return _Group(scores, inverse[:, 0])


def _side_by_side(groups: list[_Group]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Scores of all groups, gold columns, and which columns a mention has: groups differ in how many."""
    names = groups[0].scores.keys()
    widths = [group.scores[next(iter(names))].shape[1] for group in groups]
    widest = max(widths)
    scores = {
        name: torch.cat(
            [
                functional.pad(group.scores[name], (0, widest - width))
                for group, width in zip(groups, widths, strict=True)
            ]
        )
        for name in names
    }
    lengths = torch.tensor([len(group.gold_column) for group in groups])
    num_columns = torch.tensor(widths).repeat_interleave(lengths)
    allowed = torch.arange(widest) < num_columns[:, None]
    gold_column = torch.cat([group.gold_column for group in groups])
    device = next(iter(scores.values())).device
    return scores, gold_column.to(device), allowed.to(device)
