"""The index of a knowledge base, and ranks over it, for any matcher on stored features.

What published code computes may depend on the batch (`Matcher.encoding_batch`). Here is where batches are
made, so that the same records always give the same scores: in the order of their ids, whatever the order in
which they are asked for.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import mmoe.linking
import mmoe.model
from mmoe.errors import LinkingError, one_line
from mmoe.files import content_key, sha256_of, sources_key
from mmoe.linking.index import EntityIndex
from mmoe.linking.index_files import is_index_of
from mmoe.linking.ranked import MentionRanks
from mmoe.linking.ranking import rank_mentions
from mmoe.linking.sides import ENTITY_BATCH, MENTION_BATCH, FeatureSide, Side
from mmoe.model.matcher import Matcher


def build_index(
    matcher: Matcher,
    entities: Side,
    device: torch.device,
    precision: str = "float32",
    folder: Path | None = None,
    made_of: str = "",
) -> EntityIndex:
    """Every entity of a knowledge base as the matcher sees it, in the order of the records.

    Args:
        precision: of the products, float32 or bfloat16.
        folder: where its files are to lie; None, or another device than the CPU, holds it in memory.
        made_of: names matcher and entities; an index of the same that lies in the folder is opened.
    """
    if device.type != "cpu":
        folder = None
    if folder is not None and made_of and is_index_of(folder, made_of):
        try:
            return EntityIndex.open(folder, made_of, matcher)
        except LinkingError as error:
            print(f"{one_line(error)}; it is built anew", file=sys.stderr)
    size, everything = matcher.encoding_batch, entities.everything
    order = everything if size is None else order_of_ids(entities, everything)
    batches = entities.batches(everything[order], size or ENTITY_BATCH, device)
    if folder is None:
        index = EntityIndex.build(matcher, batches, precision)
        return index if size is None else index.rearranged(order.argsort())
    if size is None:
        return EntityIndex.build_in(folder, made_of, matcher, batches, precision)
    ordered = folder.with_name(f".{folder.name}.ordered")
    index = EntityIndex.build_in(ordered, made_of, matcher, batches, precision)
    index = index.rearranged(order.argsort(), folder, made_of)
    shutil.rmtree(ordered)
    return index


def index_key(checkpoint: Path, entities: Path, side: FeatureSide) -> str:
    """Names an index by all that decides it: the matcher's file, the records', their features, the code."""
    return content_key(sha256_of(checkpoint), sha256_of(entities), side.parts, index_code())


def index_code() -> str:
    """Names the code that decides what an index holds."""
    return sources_key(*(Path(room.__path__[0]) for room in (mmoe.linking, mmoe.model)))


@torch.inference_mode()
def rank_records(
    index: EntityIndex,
    mentions: Side,
    records: Tensor,
    gold: Tensor,
    device: torch.device,
    *,
    engine: str = "bounds",
    top_n: int = 0,
    candidates: Sequence[NDArray[np.int64]] | None = None,
) -> MentionRanks:
    """Ranks of stored mentions; see `rank_mentions`.

    Args:
        records: int64 positions among `mentions`; `gold`, of their gold entities, and `candidates`, in the
            same order.
    """
    size = index.matcher.encoding_batch
    order = torch.arange(len(records)) if size is None else order_of_ids(mentions, records)
    if candidates is not None:
        candidates = [candidates[i] for i in order.tolist()]
    ranked = rank_mentions(
        index,
        mentions.batches(records[order], size or MENTION_BATCH, device),
        gold[order],
        engine=engine,
        top_n=top_n,
        candidates=candidates,
    )
    return ranked if size is None else ranked.select(order.argsort().numpy())


def order_of_ids(side: Side, records: Tensor) -> Tensor:
    """Where the records stand in the order of their ids, int64: the first id's place first."""
    ids = side.ids_of(records)
    return torch.tensor(sorted(range(len(ids)), key=ids.__getitem__), dtype=torch.int64)
