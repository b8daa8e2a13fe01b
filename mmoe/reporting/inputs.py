"""What the other stages wrote, read and checked: the report computes nothing that they left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mmoe.errors import DataError
from mmoe.files import read_json
from mmoe.records import Candidate, Description, Entity, Mention, read_records
from mmoe.reporting.published import PublishedOn, read_published
from mmoe.reporting.ranked import RankedMentions, read_ranked

NEEDED_METRICS = (
    *("mrr", "mrr_low", "mrr_high", "hits_at_1", "hits_at_1_low", "hits_at_1_high"),
    *("num_mentions", "num_entities", "num_left_out"),
)
NEEDED_GROUPS = ("table1", "text", "names", "images", "read", "leaks")


@dataclass(frozen=True)
class ReportFiles:
    """Where the report reads; `raw` is the folder that image paths start from."""

    raw: Path
    mentions: Path
    entities: Path
    candidates: Path
    descriptions: Path
    worth: Path
    data: Path
    retrieve_counts: Path
    retrieve_runs: Path
    rank_counts: Path
    metrics: Path
    baselines: Path
    history: Path
    ranks: Path
    published: Path


class Epoch(BaseModel):
    """One line of the training history; what an epoch did not measure is absent or null."""

    model_config = ConfigDict(frozen=True)

    epoch: int = Field(ge=1)
    learning_rate: float
    loss: dict[str, float]
    valid_mrr: float | None = None
    expert_load: dict[str, list[float]] = {}


class History(BaseModel):
    """How training went; without epochs the matcher is untrained."""

    model_config = ConfigDict(frozen=True)

    epochs: list[Epoch]
    best_epoch: int | None = None
    untrained_valid_mrr: float | None = None
    config: dict[str, Any] = {}


@dataclass(frozen=True)
class Inputs:
    """Everything that the report shows."""

    dataset: str
    raw: Path
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    history: History
    data: dict[str, Any]
    ranking: dict[str, Any]
    retrieval: dict[str, Any]
    retrieve_runs: dict[str, Any]
    mentions: dict[str, Mention]
    entities: dict[str, Entity]
    candidates: dict[str, list[Candidate]]
    descriptions: dict[str, Description]
    worth: dict[str, Any]
    ranked: RankedMentions
    published: PublishedOn | None


def read_inputs(dataset: str, files: ReportFiles) -> Inputs:
    """Reads all files.

    Raises:
        DataError: naming the file and key that is missing or broken.
    """
    return Inputs(
        dataset=dataset,
        raw=files.raw,
        metrics=_read_metrics(files.metrics),
        baselines=_validated(
            files.baselines, TypeAdapter(dict[str, dict[str, float | None]]), _given_of_each
        ),
        history=_validated(files.history, TypeAdapter(History), lambda history: history),
        data=_read_data(files.data),
        ranking=_read_counts(files.rank_counts),
        retrieval=_read_counts(files.retrieve_counts),
        retrieve_runs=_read_counts(files.retrieve_runs),
        mentions={row.mention_id: row for row in read_records(files.mentions, Mention)},
        entities={row.qid: row for row in read_records(files.entities, Entity)},
        candidates=_by_mention(read_records(files.candidates, Candidate)),
        descriptions={r.mention_id: r for r in read_records(files.descriptions, Description)},
        worth=_read_counts(files.worth),
        ranked=read_ranked(files.ranks),
        published=read_published(files.published, dataset),
    )


def _by_mention(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.position):
        groups.setdefault(candidate.mention_id, []).append(candidate)
    return groups


def _read_metrics(path: Path) -> dict[str, float]:
    numbers: dict[str, float] = _validated(path, TypeAdapter(dict[str, float | None]), _given)
    _need(path, numbers, NEEDED_METRICS)
    if "gain_mrr" in numbers:
        _need(path, numbers, ("gain_mrr_low", "gain_mrr_high"))
    return numbers


def _read_counts(path: Path) -> dict[str, Any]:
    counts: dict[str, Any] = _validated(path, TypeAdapter(dict[str, Any]), lambda values: values)
    return counts


def _read_data(path: Path) -> dict[str, Any]:
    data = _read_counts(path)
    missing = [group for group in NEEDED_GROUPS if group not in data]
    if missing:
        raise DataError(f"{path}: lacks {', '.join(missing)}; run stage audit again")
    return data


def _given(numbers: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if value is not None}


def _given_of_each(systems: dict[str, dict[str, float | None]]) -> dict[str, dict[str, float]]:
    return {name: _given(numbers) for name, numbers in systems.items()}


def _need(path: Path, numbers: dict[str, float], names: Sequence[str]) -> None:
    missing = [name for name in names if name not in numbers]
    if missing:
        raise DataError(f"{path}: lacks {', '.join(missing)}; run stage evaluate again")


def _validated(path: Path, adapter: TypeAdapter[Any], convert: Any) -> Any:
    try:
        return convert(adapter.validate_python(read_json(path)))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise DataError(
            f"{path}: {key}: {first['msg']}; run the stage that writes it again (dvc repro)"
        ) from None
