"""Missing and broken files are named, with the key and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mmoe.errors import DataError
from mmoe.files import write_json
from mmoe.reporting.inputs import ReportFiles, read_inputs

from tests.reporting.fixture import write_run


@pytest.fixture
def files(tmp_path: Path) -> ReportFiles:
    return write_run(tmp_path / "run")


def edit(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    write_json(path, content)


def test_everything_is_read(files: ReportFiles) -> None:
    inputs = read_inputs("sample", files)
    assert len(inputs.ranked) == len(inputs.mentions) == 12
    assert inputs.ranked.untrained is not None
    assert inputs.history.best_epoch == 3
    assert inputs.published is None
    assert inputs.retrieval["source"] == "kb"


@pytest.mark.parametrize("name", ["metrics", "baselines", "history", "ranks", "mentions", "data"])
def test_a_missing_file_is_named(files: ReportFiles, name: str) -> None:
    path: Path = getattr(files, name)
    path.unlink()
    with pytest.raises(DataError, match=rf"{path.name}: no such file"):
        read_inputs("sample", files)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("metrics", lambda m: m.pop("mrr_low"), r"metrics\.json: lacks mrr_low"),
        ("metrics", lambda m: m.pop("gain_mrr_high"), r"metrics\.json: lacks gain_mrr_high"),
        ("metrics", lambda m: m.update(mrr="high"), r"metrics\.json: mrr: .*number"),
        ("data", lambda d: d.pop("leaks"), r"data\.json: lacks leaks"),
        ("baselines", lambda b: b.update(bm25=3), r"baselines\.json: bm25: .*dictionary"),
        ("history", lambda h: h.pop("epochs"), r"history\.json: epochs: Field required"),
        (
            "history",
            lambda h: h["epochs"][1].update(loss={"text": None}),
            r"history\.json: epochs\.1\.loss\.text: .*number",
        ),
    ],
)
def test_a_broken_file_is_named_with_its_key(
    files: ReportFiles, file: str, change: Callable[[Any], object], message: str
) -> None:
    edit(getattr(files, file), change)
    with pytest.raises(DataError, match=message):
        read_inputs("sample", files)


def test_ranks_that_lack_a_column(files: ReportFiles) -> None:
    pq.write_table(pq.read_table(files.ranks).drop_columns(["top"]), files.ranks)
    with pytest.raises(DataError, match=r"ranks\.parquet: lacks column top"):
        read_inputs("sample", files)


def test_truncated_ranks(files: ReportFiles) -> None:
    files.ranks.write_bytes(files.ranks.read_bytes()[:100])
    with pytest.raises(DataError, match=r"ranks\.parquet: not a whole Parquet file"):
        read_inputs("sample", files)


def test_units_without_scores_are_absent(tmp_path: Path) -> None:
    inputs = read_inputs("sample", write_run(tmp_path / "text", units=("text",)))
    assert {tuple(scored.units) for scored in inputs.ranked.top(0)} == {("text",)}
