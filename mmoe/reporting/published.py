"""The papers' numbers: reports/published.yaml, typed by hand, checked strictly."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from mmoe.reporting.table import System

Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Benchmark(_Strict):
    """A data set as the papers used it: MMoE, Table 1."""

    title: str
    sentences: Count | None = None
    entities: Count
    entities_with_image: Count | None = None
    mentions: Count | None = None
    mentions_with_image: Count | None = None
    train_mentions: Count | None = None
    valid_mentions: Count | None = None
    test_mentions: Count


class Values(_Strict):
    """What a table gives of one system on one data set, by the names of `SystemMetrics.flat`: in percent,
    `mean_rank` in ranks.
    """

    mrr: Percent | None = None
    hits_at_1: Percent | None = None
    hits_at_3: Percent | None = None
    hits_at_5: Percent | None = None
    mean_rank: float | None = Field(default=None, ge=1)


class _Row(_Strict):
    system: str
    origin: str | None = Field(default=None, alias="from")
    results: dict[str, Values]


class _PaperTable(_Strict):
    paper: str
    title: str
    table: str
    rows: list[_Row] = Field(min_length=1)


class TrainedParameters(_Strict):
    """How many parameters a paper trains, in millions, by what it tunes of the encoder."""

    paper: str
    table: str
    tuned: str
    millions: float = Field(gt=0)


class PublishedFile(_Strict):
    """reports/published.yaml."""

    data_sets: dict[str, Benchmark]
    tables: list[_PaperTable]
    trainable_parameters: list[TrainedParameters] = []

    def on(self, dataset: str) -> PublishedOn | None:
        """The results on a data set, in the order of the file; None if no paper uses it."""
        name = dataset.casefold()
        if name not in self.data_sets:
            return None
        systems = tuple(
            System(
                row.system,
                "published",
                {key: value for key, value in row.results[name] if value is not None},
                f"{table.paper}, {table.table}" + (f", from {row.origin}" if row.origin else ""),
            )
            for table in self.tables
            for row in table.rows
            if name in row.results
        )
        return PublishedOn(self.data_sets[name], systems)


class PublishedOn(NamedTuple):
    """All that papers say of one data set; the note of a system says where its numbers were read."""

    benchmark: Benchmark
    systems: tuple[System, ...]
