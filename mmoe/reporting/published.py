"""The papers' numbers: reports/published.yaml, typed by hand, checked strictly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mmoe.errors import DataError
from mmoe.files import read_text
from mmoe.reporting.table import System

Percent = Annotated[float, Field(ge=0, le=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Benchmark(_Strict):
    """A data set as the papers used it: MMoE, Table 1."""

    title: str
    sentences: int | None = Field(default=None, ge=1)
    entities: int = Field(ge=1)
    entities_with_image: int | None = Field(default=None, ge=1)
    mentions: int | None = Field(default=None, ge=1)
    mentions_with_image: int | None = Field(default=None, ge=1)
    train_mentions: int | None = Field(default=None, ge=1)
    valid_mentions: int | None = Field(default=None, ge=1)
    test_mentions: int = Field(ge=1)

    @property
    def counts(self) -> dict[str, int]:
        """The counts that the paper gives, by the names of data.json's table1."""
        return {name: value for name, value in self if isinstance(value, int)}


class Values(_Strict):
    """What a table gives of one system on one data set, in percent; `mean_rank` in ranks."""

    mrr: Percent | None = None
    hits_at_1: Percent | None = None
    hits_at_3: Percent | None = None
    hits_at_5: Percent | None = None
    mean_rank: float | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        hits = [v for v in (self.hits_at_1, self.hits_at_3, self.hits_at_5) if v is not None]
        if hits != sorted(hits):
            raise ValueError(f"Hits@1, 3, 5 must not fall, got {hits}")
        if None not in (self.mrr, self.hits_at_1) and self.mrr < self.hits_at_1:  # type: ignore[operator]
            raise ValueError(f"MRR {self.mrr} can't lie below Hits@1 {self.hits_at_1}")
        return self

    def given(self) -> dict[str, float]:
        """The values that the paper gives, under the names of `SystemMetrics.flat`."""
        return {name: value for name, value in self if value is not None}


class _Row(_Strict):
    system: str
    origin: str | None = Field(default=None, alias="from")
    results: dict[str, Values]


class _PaperTable(_Strict):
    paper: str
    title: str
    table: str
    rows: list[_Row] = Field(min_length=1)


class _File(_Strict):
    data_sets: dict[str, Benchmark]
    tables: list[_PaperTable]

    @model_validator(mode="after")
    def _names(self) -> Self:
        for table in self.tables:
            systems = [row.system for row in table.rows]
            for row in table.rows:
                where = f"{table.paper}, {table.table}, {row.system}"
                if systems.count(row.system) > 1:
                    raise ValueError(f"{where}: stands twice")
                if unknown := set(row.results) - set(self.data_sets):
                    raise ValueError(f"{where}: {sorted(unknown)} are not listed under data_sets")
        return self


@dataclass(frozen=True)
class PublishedOn:
    """All that papers say of one data set; the note of a system says where its numbers were read."""

    benchmark: Benchmark
    systems: tuple[System, ...]


def read_published(path: Path, dataset: str) -> PublishedOn | None:
    """The published results on a data set, in the order of the file; None if no paper uses it.

    Raises:
        DataError: if the file is missing or broken; the message names key, value and rule.
    """
    content = _read(path)
    name = dataset.casefold()
    if name not in content.data_sets:
        return None
    systems = [
        System(row.system, "published", row.results[name].given(), _note(table, row))
        for table in content.tables
        for row in table.rows
        if name in row.results
    ]
    return PublishedOn(content.data_sets[name], tuple(systems))


def _note(table: _PaperTable, row: _Row) -> str:
    origin = f", from {row.origin}" if row.origin else ""
    return f"{table.paper}, {table.table}{origin}"


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(YAML(typ="safe", pure=True).load(read_text(path)))
    except YAMLError as error:
        raise DataError(f"{path}: not valid YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise DataError(f"{path}: {key}: {first['msg']}; compare it with the paper") from None
