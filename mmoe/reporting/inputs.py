"""What the other stages wrote, read and checked: the report computes nothing that they left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mmoe.errors import DataError
from mmoe.evaluation.metrics import Metrics
from mmoe.evaluation.reading import RANK_COLUMNS, read_table
from mmoe.files import read_sealed_json, read_text
from mmoe.records import Candidate, Description, Entity, Mention, read_records
from mmoe.reporting.published import PublishedFile, PublishedOn, TrainedParameters

COLUMNS = (*RANK_COLUMNS, "gold", "top")

Counts = dict[str, Any]  # what a stage counted, as its file holds it

Value = TypeVar("Value")


class Epoch(BaseModel):
    """One line of the training history; what an epoch did not measure is absent or null."""

    model_config = ConfigDict(frozen=True)

    epoch: int = Field(ge=1)
    step: int | None = None
    learning_rate: float
    loss: dict[str, float]
    held_out_mrr: float | None = None
    expert_load: dict[str, list[float]] = {}


class TunedEncoder(BaseModel):
    """How the encoder was tuned, and how many parameters of it, and of the matcher, were trained together."""

    model_config = ConfigDict(frozen=True)

    method: str
    trained_parameters: dict[str, int]


class History(BaseModel):
    """How training went; without epochs the matcher is untrained.

    Attributes:
        tuned: None where the encoder is used as it is.
    """

    model_config = ConfigDict(frozen=True)

    epochs: list[Epoch]
    best_epoch: int | None = None
    untrained_held_out_mrr: float | None = None
    config: dict[str, dict[str, Any]] = {}
    versions: dict[str, str] = {}
    tuned: TunedEncoder | None = None


class Reranker(BaseModel):
    """How the combiners of two-stage linking were fitted; empty where nothing is reranked.

    Attributes:
        recall: share of the test mentions whose shortlist holds the gold entity, in percent.
        valid_mrr, weights: by reranked system; the weights by feature.
        calibrated: how good the probabilities are on test mentions; None where there are none.
    """

    class Calibrated(BaseModel):
        """Test mentions in bins of the probability of their best entity.

        Attributes:
            ece: expected calibration error, in points.
            nil: precision and recall, in percent, of mentions whose entity was taken out.
        """

        class Bin(BaseModel):
            """Mean probability of some mentions' best entities, and the share of those that are right."""

            probability: float
            right: float
            mentions: int

        class Nil(BaseModel):
            """How well mentions without an entity are told apart."""

            precision: float
            recall: float
            mentions: int
            few: bool

        bins: list[Bin]
        ece: float
        mentions: int
        nil: Nil

    class Weight(BaseModel):
        """A feature's weight in standard deviations of it, and what it counts where it is missing."""

        weight: float
        missing: float

    recall: float
    valid_mrr: dict[str, float]
    weights: dict[str, dict[str, Weight]]
    calibrated: Calibrated | None = None


class Data(BaseModel):
    """What stage audit counted, by group."""

    table1: Counts
    text: Counts
    names: Counts
    images: Counts
    read: Counts
    leaks: Counts


@dataclass(frozen=True)
class Inputs:
    """Everything that the report shows.

    Attributes:
        settings: sections of params.yaml by name, those that history.json does not hold.
        versions: of the packages that made the run.
        ablation: of stage description_ablation; None if nothing was measured.
        ablation_off: why nothing was measured, "" where that is not said.
        ranked: ranks.parquet, with the scores of the gold and of the best entities.
        trained_elsewhere: how many parameters papers train.
    """

    dataset: str
    raw: Path
    settings: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    metrics: Metrics
    history: History
    reranker: Reranker
    data: Data
    ranking: Counts
    retrieval: Counts
    mentions: dict[str, Mention]
    entities: dict[str, Entity]
    candidates: dict[str, list[Candidate]]
    descriptions: dict[str, Description]
    ablation: Counts | None
    ablation_off: str
    ranked: pd.DataFrame
    published: PublishedOn | None
    trained_elsewhere: Sequence[TrainedParameters]

    @property
    def untrained_ranks(self) -> NDArray[np.int64] | None:
        """Ranks of the same matcher before training; None if they were not measured."""
        ranks = self.ranked["untrained_rank"]
        return None if ranks.isna().any() else ranks.to_numpy(np.int64)


def read_inputs(
    dataset: str,
    settings: Mapping[str, Mapping[str, Any]],
    versions: Mapping[str, str],
    root: Path = Path(),
) -> Inputs:
    """Reads all files.

    Args:
        settings: see `Inputs`.
        versions: those installed; history.json's own go before them. What follows a `+` names the build
            for one kind of machine and is left out.
        root: the project's folder.
    Raises:
        DataError: naming the file and key that is missing or broken.
    """
    interim, reports = root / "data/interim" / dataset, root / "reports" / dataset
    records = interim / "mentions.parquet", interim / "entities.parquet"
    history = _validated(root / "data/models" / dataset / "history.json", History)
    ablation = _validated(reports / "description_ablation.json", Counts)
    published = _validated(root / "reports/published.yaml", PublishedFile)
    choice = records[0], interim / "candidates.parquet"
    descriptions = read_records(
        interim / "descriptions.parquet",
        Description,
        choice,
    )
    return Inputs(
        dataset=dataset,
        raw=root / "data/raw" / dataset,
        settings=settings,
        versions={n: v.partition("+")[0] for n, v in {**versions, **history.versions}.items()},
        metrics=_validated(reports / "evaluation.json", Metrics),
        history=history,
        reranker=_validated(root / "data/models" / dataset / "reranker.json", Reranker),
        data=_validated(reports / "data.json", Data),
        ranking=_validated(interim / "rank.json", Counts),
        retrieval=_validated(interim / "retrieve.json", Counts),
        mentions={m.mention_id: m for m in read_records(records[0], Mention)},
        entities={e.qid: e for e in read_records(records[1], Entity)},
        candidates=_by_mention(read_records(interim / "candidates.parquet", Candidate, records)),
        descriptions={d.mention_id: d for d in descriptions},
        ablation=ablation if ablation.get("choices") and ablation.get("systems") else None,
        ablation_off=ablation.get("off") or "",
        ranked=read_table(root / "data/ranks" / dataset / "ranks.parquet", COLUMNS, records),
        published=published.on(dataset),
        trained_elsewhere=published.trainable_parameters,
    )


def _by_mention(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.position):
        groups.setdefault(candidate.mention_id, []).append(candidate)
    return groups


def _validated(path: Path, kind: type[Value]) -> Value:
    is_yaml = kind is PublishedFile
    try:
        content = (
            YAML(typ="safe", pure=True).load(read_text(path)) if is_yaml else read_sealed_json(path)
        )
        return TypeAdapter(kind).validate_python(content)
    except YAMLError as error:
        raise DataError(f"{path}: not valid YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        remedy = (
            "compare it with the paper"
            if is_yaml
            else "run the stage that writes it again (dvc repro)"
        )
        raise DataError(f"{path}: {key}: {first['msg']}; {remedy}") from None
