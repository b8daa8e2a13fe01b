"""Baselines that read names and texts alone: equality, BM25 and the order of retrieval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.bm25 import TextIndex
from mmoe.evaluation.ranks import ScoresOf
from mmoe.names import normalise_name
from mmoe.records import Entity, Mention


def exact_name(mentions: Sequence[Mention], entities: Sequence[Entity]) -> ScoresOf:
    """1 where the normalised surface form and name are equal."""
    names = [normalise_name(entity.name) for entity in entities]
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    name_N = np.array([number[name] for name in names])
    form_M = np.array([number.get(normalise_name(m.surface_form), -1) for m in mentions])
    return lambda of: (form_M[of, None] == name_N).astype(np.float32)


def bm25(queries: Sequence[str], entities: Sequence[Entity]) -> ScoresOf:
    """BM25 of any queries over the entities' names and attributes."""
    index = TextIndex([f"{entity.name} {entity.attributes}" for entity in entities])
    return lambda of: index.scores(queries[of])


def first_candidate(candidates: Sequence[NDArray[np.int64]], num_entities: int) -> ScoresOf:
    """1 for the first candidate of each mention, which is an answer and no order of all.

    Args:
        candidates: see `mmoe.evaluation.ranks.candidate_lists`.
    """
    return retrieval_order([each[:1] for each in candidates], num_entities)


def retrieval_order(candidates: Sequence[NDArray[np.int64]], num_entities: int) -> ScoresOf:
    """The candidates in their order, and everything else behind them."""

    def scores(of: slice) -> NDArray[np.float32]:
        chosen = candidates[of]
        found = np.zeros((len(chosen), num_entities), dtype=np.float32)
        for row, each in zip(found, chosen, strict=True):
            row[each] = np.arange(len(each), 0, -1)
        return found

    return scores
