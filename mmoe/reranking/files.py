"""A fitted reranker in three files: weights to read, arrays, and the terms of the strings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import nn

from mmoe.baselines.cosine import Means
from mmoe.errors import CheckpointError, DataError, one_line
from mmoe.files import read_sealed_json, write_sealed_json
from mmoe.names import name_tokens
from mmoe.reranking.calibration import Calibration
from mmoe.reranking.combiner import Combiner
from mmoe.reranking.context import TwoTowers
from mmoe.reranking.reranker import SIMILARITIES, WITH_MATCHER, Reranker
from mmoe.reranking.space import Space
from mmoe.reranking.strings import ANALYZERS, StringSpace
from mmoe.reranking.terms import Terms
from mmoe.reranking.topics import Topics
from mmoe.sealed_parquet import read_sealed, write_sealed
from mmoe.tensor_files import read_tensors, write_tensors

WEIGHTS, ARRAYS, TERMS = "reranker.json", "reranker.safetensors", "reranker_terms.parquet"
FILES = (WEIGHTS, ARRAYS, TERMS)
TOPIC_WORDS = "topic_words"
SIDES = ("context", "entity")  # of the towers
Arrays = dict[str, NDArray[np.float32]]
_BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException)


def save_reranker(folder: Path, reranker: Reranker | None, about: dict[str, Any]) -> None:
    """Writes the files; empty ones where there is no reranker.

    Args:
        about: more for `WEIGHTS`: under `weights`, those of the combiners by system.
    """
    content = about | {"fitted": reranker is not None}
    arrays: Arrays = {}
    terms: dict[str, Terms] = {}
    if reranker is not None:
        content |= {
            "depth": reranker.depth,
            "uses_retrieval": reranker.uses_retrieval,
            "uses_matcher": reranker.with_matcher is not None,
            "calibration": reranker.calibration and reranker.calibration.to_json(),
        }
        arrays = dict(_arrays(reranker))
        terms = dict(reranker.space.strings.terms)
        if reranker.space.topics is not None:
            terms[TOPIC_WORDS] = reranker.space.topics.terms
        content["unseen"] = {kind: own.unseen for kind, own in terms.items()}
    kinds = [kind for kind, own in terms.items() for _ in own.terms]
    columns = {
        "kind": pa.array(kinds, pa.string()).dictionary_encode(),
        "term": pa.array([t for own in terms.values() for t in own.terms], pa.string()),
        "idf": pa.array(
            np.concatenate([np.empty(0, "f4"), *(own.idf_V for own in terms.values())])
        ),
    }
    write_sealed(folder / TERMS, pa.table(columns))
    write_tensors(folder / ARRAYS, {n: torch.from_numpy(each) for n, each in arrays.items()}, {})
    write_sealed_json(folder / WEIGHTS, content)


def load_reranker(folder: Path) -> Reranker | None:
    """What `save_reranker` wrote.

    Raises:
        CheckpointError: if a file is missing or broken.
    """
    try:
        content = read_sealed_json(folder / WEIGHTS)
        if not content["fitted"]:
            return None
        arrays = {name: each.numpy() for name, each in read_tensors(folder / ARRAYS)[1].items()}
        table = read_sealed(folder / TERMS)
        terms = _terms(table, content["unseen"])
        weights, calibration = content["weights"], content["calibration"]
        second = weights[WITH_MATCHER] if content["uses_matcher"] else None
        return Reranker(
            depth=content["depth"],
            space=_space(arrays, terms),
            towers=_towers(arrays),
            frozen=Combiner.from_json(weights[SIMILARITIES]),
            with_matcher=second and Combiner.from_json(second),
            uses_retrieval=content["uses_retrieval"],
            calibration=calibration and Calibration.from_json(calibration),
        )
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename}: no such file; run dvc repro") from None
    except (CheckpointError, DataError, *_BROKEN) as error:
        raise CheckpointError(
            f"{folder}: {', '.join(FILES)} hold no whole reranker ({one_line(error)}); run dvc repro"
        ) from None


def _arrays(reranker: Reranker) -> Iterator[tuple[str, NDArray[np.float32]]]:
    space, towers = reranker.space, reranker.towers
    for side, means in (("mention", space.means.mention), ("entity", space.means.entity)):
        yield from ((f"mean/{side}/{kind}", mean_P) for kind, mean_P in means.items())
    yield from ((f"centre/{kind}", centre_C) for kind, centre_C in space.centres.items())
    if space.context_mean_P is not None:
        yield "mean/context", space.context_mean_P
    if space.topics is not None and space.topic_mean_K is not None:
        yield "topics/directions", space.topics.directions_KV
        yield "topics/mean", space.topic_mean_K
    if towers is not None:
        for side in SIDES:
            own = getattr(towers, side)
            yield f"towers/{side}/weight", own.weight.detach().numpy()
            yield f"towers/{side}/bias", own.bias.detach().numpy()


def _below(arrays: Arrays, prefix: str) -> Arrays:
    return {
        name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)
    }


def _space(arrays: Arrays, terms: dict[str, Terms]) -> Space:
    means = Means(_below(arrays, "mean/mention/"), _below(arrays, "mean/entity/"))
    topics, words = None, terms.pop(TOPIC_WORDS, None)
    if words is not None:
        topics = Topics(words, arrays["topics/directions"])
    return Space(
        strings=StringSpace(terms),
        means=means,
        context_mean_P=arrays.get("mean/context"),
        topics=topics,
        topic_mean_K=arrays.get("topics/mean"),
        centres=_below(arrays, "centre/"),
    )


def _towers(arrays: Arrays) -> TwoTowers | None:
    found = []
    for side in SIDES:
        own = _below(arrays, f"towers/{side}/")
        if not own:
            return None
        width, inputs = own["weight"].shape
        tower = nn.Linear(inputs, width)
        tower.load_state_dict({name: torch.from_numpy(each) for name, each in own.items()})
        found.append(tower)
    return TwoTowers(*found)


def _terms(table: pa.Table, unseen: dict[str, float]) -> dict[str, Terms]:
    """By kind, in the order in which they were written."""
    kinds = np.asarray(table["kind"].combine_chunks().cast(pa.string()).to_numpy(False))
    words = table["term"].to_pylist()
    idf, found = table["idf"].to_numpy(), {}
    for kind, one in unseen.items():
        (rows,) = np.nonzero(kinds == kind)
        own = tuple(words[i] for i in rows)
        found[kind] = Terms(ANALYZERS.get(kind, name_tokens), own, idf[rows], one)
    return found
