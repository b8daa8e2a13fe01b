"""What the other stages wrote, read and checked: the report computes nothing that they left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mmoe.errors import DataError
from mmoe.evaluation.metrics import Metrics
from mmoe.files import read_json
from mmoe.records import Candidate, Description, Entity, Mention, read_records
from mmoe.reporting.published import PublishedOn, read_published
from mmoe.reporting.ranked import RankedMentions, read_ranked

NEEDED_GROUPS = ("table1", "text", "names", "images", "read", "leaks")

Value = TypeVar("Value")


@dataclass(frozen=True)
class ReportFiles:
    """Where the report reads.

    Attributes:
        raw: the folder that image paths start from.
        ablation: need not exist.
    """

    raw: Path
    mentions: Path
    entities: Path
    candidates: Path
    descriptions: Path
    retrieve_counts: Path
    rank_counts: Path
    history: Path
    ranks: Path
    evaluation: Path
    data: Path
    ablation: Path
    published: Path


class Epoch(BaseModel):
    """One line of the training history; what an epoch did not measure is absent or null."""

    model_config = ConfigDict(frozen=True)

    epoch: int = Field(ge=1)
    step: int | None = None
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
    config: dict[str, dict[str, Any]] = {}
    versions: dict[str, str] = {}


@dataclass(frozen=True)
class Inputs:
    """Everything that the report shows.

    Attributes:
        settings: sections of params.yaml by name, those that history.json does not hold.
        versions: of the packages that made the run.
        ablation: of stage description_ablation; None if nothing was measured.
        ablation_off: why nothing was measured, "" where that is not said.
    """

    dataset: str
    raw: Path
    settings: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    metrics: Metrics
    history: History
    data: dict[str, Any]
    ranking: dict[str, Any]
    retrieval: dict[str, Any]
    mentions: dict[str, Mention]
    entities: dict[str, Entity]
    candidates: dict[str, list[Candidate]]
    descriptions: dict[str, Description]
    ablation: dict[str, Any] | None
    ablation_off: str
    ranked: RankedMentions
    published: PublishedOn | None


def read_inputs(
    dataset: str,
    files: ReportFiles,
    settings: Mapping[str, Mapping[str, Any]],
    versions: Mapping[str, str],
) -> Inputs:
    """Reads all files.

    Args:
        settings: see `Inputs`.
        versions: those installed; history.json's own go before them. What follows a `+` names the build
            for one kind of machine and is left out.
    Raises:
        DataError: naming the file and key that is missing or broken.
    """
    history = _validated(files.history, TypeAdapter(History))
    ablation = _read_counts(files.ablation) if files.ablation.exists() else {}
    return Inputs(
        dataset=dataset,
        raw=files.raw,
        settings=settings,
        versions={n: v.partition("+")[0] for n, v in {**versions, **history.versions}.items()},
        metrics=_validated(files.evaluation, TypeAdapter(Metrics)),
        history=history,
        data=_read_data(files.data),
        ranking=_read_counts(files.rank_counts),
        retrieval=_read_counts(files.retrieve_counts),
        mentions={row.mention_id: row for row in read_records(files.mentions, Mention)},
        entities={row.qid: row for row in read_records(files.entities, Entity)},
        candidates=_by_mention(read_records(files.candidates, Candidate)),
        descriptions={r.mention_id: r for r in read_records(files.descriptions, Description)},
        ablation=ablation if ablation.get("choices") and ablation.get("systems") else None,
        ablation_off=ablation.get("off") or "",
        ranked=read_ranked(files.ranks),
        published=read_published(files.published, dataset),
    )


def _by_mention(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.position):
        groups.setdefault(candidate.mention_id, []).append(candidate)
    return groups


def _read_counts(path: Path) -> dict[str, Any]:
    return _validated(path, TypeAdapter(dict[str, Any]))


def _read_data(path: Path) -> dict[str, Any]:
    data = _read_counts(path)
    missing = [group for group in NEEDED_GROUPS if group not in data]
    if missing:
        raise DataError(f"{path}: lacks {', '.join(missing)}; run stage audit again")
    return data


def _validated(path: Path, adapter: TypeAdapter[Value]) -> Value:
    try:
        return adapter.validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise DataError(
            f"{path}: {key}: {first['msg']}; run the stage that writes it again (dvc repro)"
        ) from None
