"""Every matcher, every baseline and two-stage linking on one data set, over several seeds, in one table.

usage  python -m pipeline.table DATASET [--seeds 43,44,45] [--only NAME] [--out FILE]
in     data/interim/<dataset>, data/raw/<dataset>, as dvc repro leaves them, and params.yaml
out    Markdown, printed or written to FILE; .mmoe/table/<dataset>: what its cells came to

Each cell is trained and ranked once: after a kill, or with more seeds, the command goes on with the cells
that are not done. What params.yaml says holds for all of them, but for the matcher, the seed, the
descriptions and, for published variants, encode.keep_padding. Two-stage linking goes by frozen features
alone and, as the others, does not know the candidates.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmoe.config.load import ParamsFile
from mmoe.config.model import ModelParams
from mmoe.config.rank import RankParams
from mmoe.errors import MmoeError
from mmoe.evaluation.estimates import Estimate, mean_estimate, reciprocals
from mmoe.evaluation.reading import read_table
from mmoe.files import atomic_folder, content_key, read_json, sha256_of, write_json, write_text
from mmoe.linking.checkpoint import load_matcher
from mmoe.locks import exclusive_lock
from mmoe.model.costs import num_active, num_parameters
from mmoe.records import Mention, read_records
from mmoe.reporting.table import Table, markdown_table

from pipeline.baselines import baselines
from pipeline.encode import encode
from pipeline.evaluate import evaluate
from pipeline.fingerprints import Fingerprints
from pipeline.layout import Layout
from pipeline.rank import rank
from pipeline.rerank import rerank
from pipeline.stage import checked_params, exit_on_mistake
from pipeline.train import train

TEXTS_ALONE = "MMoE, texts alone"
PADDED = {"encode.keep_padding": True}
MATCHERS: dict[str, dict[str, Any]] = {
    "MMoE": {"model.name": "mmoe"},
    TEXTS_ALONE: {"model.name": "mmoe", "model.units": ["text"]},
    "MMoE without residual": {"model.name": "mmoe", "model.residual": False},
    "MMoE as released": {"model.name": "mmoe_released"} | PADDED,
    "M3EL, one way": {"model.name": "m3el"},
    "M3EL, both ways": {"model.name": "m3el", "m3el.directions": "both_ways"},
    "M3EL as released": {"model.name": "m3el", "m3el.variant": "released"} | PADDED,
    "MIMIC": {"model.name": "mimic"},
    "MIMIC as released": {"model.name": "mimic", "mimic.variant": "released"} | PADDED,
}
# Stages, and the sections of params.yaml that decide what they compute.
DESCRIBED = {"rank": ("rank",), "encode": ("encode",)}
COMPARED: dict[str, Sequence[str]] = {"baselines": ()}
RERANKED = {"rerank": ("rerank",)}
TRAINED = {
    "train": ("data", "model", "moe", "mmoe_released", "m3el", "mimic", "loss", "train"),
    "evaluate": ("evaluate",),
}
SECOND_LOOK = {"rerank.use_matcher": False, "rerank.use_candidates": False}
HITS = (1, 3, 5)
SAMPLES = 2000
NO_RANK = "–"


@dataclass(frozen=True)
class Features(Layout):
    """The records of a data set with other descriptions or padding, and their features."""

    home: Path

    @property
    def interim(self) -> Path:
        return self.home / "interim"

    @property
    def features(self) -> Path:
        return self.home / "features"

    def work(self, stage: str) -> Path:
        return self.home.parent / "work" / stage  # shared, so that equal rows are encoded once


@dataclass(frozen=True)
class Cell(Features):
    """One matcher trained on such features with one seed."""

    own: Path

    @property
    def model(self) -> Path:
        return self.own / "model"

    @property
    def ranks(self) -> Path:
        return self.own / "ranks"

    @property
    def report(self) -> Path:
        return self.own / "report"

    def work(self, stage: str) -> Path:
        return self.own / "work" / stage


@dataclass(frozen=True)
class Row:
    """One system: reciprocal ranks (times 100) of its seeds, [S, M]; without columns where it has no ranks.

    Attributes:
        whole_SM, among_SM: over all entities, and over each mention's candidates.
        evidence_M: what decides each mention, where the data set says so.
        training: seconds, parameters and active parameters of a matcher; None of a baseline, to which the
            others are compared.
    """

    name: str
    whole_SM: NDArray[np.float64]
    among_SM: NDArray[np.float64]
    evidence_M: pd.Series[str]
    training: dict[str, str] | None = None


def table(dataset: str, seeds: Sequence[int], only: Sequence[str]) -> str:
    """The whole table as Markdown: first with the descriptions of params.yaml, then without any."""
    file, parts = checked_params(), []
    for name in dict.fromkeys((file.section(RankParams).backend, "none")):
        rows = systems(dataset, file.changed({"rank.backend": name}), seeds, only)
        heading = "Without descriptions" if name == "none" else f"Descriptions: {name}"
        parts.append(f"{heading}\n\n{_markdown(rows)}")
    return "\n\n".join(parts)


def systems(
    dataset: str, file: ParamsFile, seeds: Sequence[int], only: Sequence[str] = ()
) -> list[Row]:
    """All baselines, the reranker, then the matchers of MATCHERS, or some of them; what is done is kept."""
    titles = list(only) or list(MATCHERS)
    for title in titles:
        if title not in MATCHERS:
            raise MmoeError(f"{title}: no such row; there are {', '.join(MATCHERS)}")
    if list(file.section(ModelParams).units) == ["text"]:
        titles = [title for title in titles if title != TEXTS_ALONE]
    known = _rows_by_method(dataset, file, baselines, COMPARED, "baselines")
    again = _rows_by_method(dataset, file.changed(SECOND_LOOK), rerank, RERANKED, "reranked")
    return [
        *known,
        *(replace(row, training={}) for row in again),
        *(_matcher_row(dataset, title, file.changed(MATCHERS[title]), seeds) for title in titles),
    ]


def _features(dataset: str, file: ParamsFile) -> Features:
    """The records and features of these parameters, made where they are not there yet."""
    given = Layout(dataset)
    key = _key(file, DESCRIBED, [sha256_of(given.mentions), sha256_of(given.entities)])
    at = Features(dataset, Path(".mmoe/table") / dataset / f"features-{key}")
    busy = partial(print, f"{at.home}: another process makes it; waiting", file=sys.stderr)
    with exclusive_lock(at.home, "features.lock", busy):
        if not at.interim.exists():
            with atomic_folder(at.interim) as copy:
                shutil.copytree(given.interim, copy, dirs_exist_ok=True)
        if not (at.home / "done.json").exists():
            rank(at, file)
            encode(at, file)
            write_json(at.home / "done.json", {})
    return at


def _rows_by_method(
    dataset: str,
    file: ParamsFile,
    stage: Callable[[Layout, ParamsFile], None],
    decided_by: Mapping[str, Sequence[str]],
    name: str,
) -> list[Row]:
    """The systems of a stage that writes the ranks of several into one table, `<name>.parquet`."""
    features = _features(dataset, file)
    key = _key(file, decided_by, [features.home.name])
    at = Cell(dataset, features.home, features.home.parent / f"{name}-{key}")
    if not (at.ranks / f"{name}.parquet").exists():
        stage(at, file)
    found = read_table(at.ranks / f"{name}.parquet")
    return [_row(at, str(system), [rows]) for system, rows in found.groupby("method", sort=False)]


def _matcher_row(dataset: str, title: str, file: ParamsFile, seeds: Sequence[int]) -> Row:
    features = _features(dataset, file)
    cells = [_cell(features, title, file.changed({"train.seed": seed})) for seed in seeds]
    tables = [read_table(cell.ranks / "ranks.parquet") for cell in cells]
    matcher = load_matcher(cells[0].model / "matcher.safetensors")
    seconds = np.mean([read_json(cell.own / "done.json")["seconds"] for cell in cells])
    training = {
        "Training, s": f"{seconds:.0f}",
        "Parameters": f"{num_parameters(matcher):,}",
        "Active": f"{num_active(matcher):,}",
    }
    return replace(_row(features, title, tables), training=training)


def _cell(features: Features, title: str, file: ParamsFile) -> Cell:
    """One matcher, trained and ranked where that is not done yet."""
    file = file.changed({"evaluate.untrained": False})
    key = _key(file, TRAINED, [features.home.name])
    at = Cell(features.dataset, features.home, features.home.parent / f"cell-{key}")
    if not (at.own / "done.json").exists():
        print(f"{features.dataset}: {title}, seed {file.content['train']['seed']}")
        at.model.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        train(at, file)
        seconds = round(time.monotonic() - start, 1)
        evaluate(at, file)
        write_json(at.own / "done.json", {"seconds": seconds})
    return at


def _key(file: ParamsFile, stages: Mapping[str, Sequence[str]], others: Sequence[str]) -> str:
    """A name for what these stages compute under these parameters."""
    known = Fingerprints(file)
    sections = [file.content.get(name) for names in stages.values() for name in names]
    return content_key([known.of(stage) for stage in stages], sections, list(others))


def _row(at: Layout, name: str, tables: Sequence[pd.DataFrame]) -> Row:
    evidence = {each.mention_id: each.evidence for each in read_records(at.mentions, Mention)}
    return Row(
        name,
        _reciprocals(tables, "rank"),
        _reciprocals(tables, "candidate_rank"),
        tables[0]["mention_id"].map(evidence),
    )


def _reciprocals(tables: Sequence[pd.DataFrame], column: str) -> NDArray[np.float64]:
    if any(table[column].isna().any() for table in tables):
        return np.empty((len(tables), 0))
    return np.stack([reciprocals(table[column].to_numpy(np.int64)) for table in tables])


def _markdown(rows: Sequence[Row]) -> str:
    """One line a system; gains are over the strongest baseline, paired."""
    rivals = [row for row in rows if row.training is None and row.whole_SM.size]
    best = max(rivals, key=lambda row: float(row.whole_SM.mean()))
    lines = pd.DataFrame(
        [_line(row, best) for row in rows], index=[row.name for row in rows]
    ).fillna(NO_RANK)
    return (
        f"{markdown_table(Table(lines))}\n"
        f"Gain: over {best.name}, paired. Spread: standard deviation over the seeds."
    )


def _line(row: Row, best: Row) -> dict[str, str]:
    line: dict[str, str] = {}
    whole_SM = row.whole_SM
    if whole_SM.size:
        found = mean_estimate(whole_SM.mean(axis=0), SAMPLES)
        line |= {"MRR": f"{found.value:.2f}", "95 %": _interval(found)}
        line |= {f"Hits@{n}": f"{100 * (whole_SM >= 100 / n).mean():.2f}" for n in HITS}
        for label in sorted(row.evidence_M.dropna().unique()):
            decided_M = row.evidence_M.eq(label).fillna(value=False).to_numpy(bool)
            line[f"MRR, {label} decides"] = f"{whole_SM[:, decided_M].mean():.2f}"
    if row.among_SM.size:
        line["MRR among candidates"] = f"{row.among_SM.mean():.2f}"
    if row.training is None:
        return line
    gain = mean_estimate(whole_SM.mean(axis=0) - best.whole_SM[0], SAMPLES)
    line |= {"Gain (95 %)": f"{gain.value:+.2f} ({_interval(gain)})", "Seeds": str(len(whole_SM))}
    if len(whole_SM) > 1:
        line["Spread"] = f"{whole_SM.mean(axis=1).std(ddof=1):.2f}"
    return line | row.training


def _interval(found: Estimate) -> str:
    return f"{found.low:.2f} to {found.high:.2f}"


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="a folder of data/raw")
    parser.add_argument(
        "--seeds", type=_numbers, default=[43, 44, 45], help="of training, with commas"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a matcher's row"
    )
    parser.add_argument("--out", type=Path, help="a file for the table; printed without it")
    chosen = parser.parse_args()

    def work() -> None:
        found = table(chosen.dataset, chosen.seeds, chosen.only)
        if chosen.out is None:
            print(f"\n{found}")
        else:
            write_text(chosen.out, f"{found}\n")

    exit_on_mistake(work)


if __name__ == "__main__":
    main()
