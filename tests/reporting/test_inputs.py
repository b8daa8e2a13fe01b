"""Missing and broken files are named, with the key and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmoe.errors import DataError
from mmoe.files import read_sealed_json, write_sealed_json

from tests.reporting.fixture import Run, read_run, write_run


@pytest.fixture
def files(tmp_path: Path) -> Run:
    return write_run(tmp_path / "run")


def edit(path: Path, change: Callable[[Any], object]) -> None:
    content = read_sealed_json(path)
    change(content)
    write_sealed_json(path, content)


def test_everything_is_read(files: Run) -> None:
    inputs = read_run(files)
    assert len(inputs.ranked) == len(inputs.mentions) == 12
    assert inputs.untrained_ranks is not None
    assert inputs.history.best_epoch == 3
    assert inputs.published is None
    assert inputs.retrieval["source"] == "kb"
    assert inputs.versions == {"mmoe": "0.2", "torch": "2.9"}
    # Those that trained the matcher go before those installed.
    edit(files.history, lambda h: h.update(versions={"torch": "2.8+cu128"}))
    assert read_run(files).versions == {"mmoe": "0.2", "torch": "2.8"}


@pytest.mark.parametrize("content", [{}, {"off": "no", "choices": {}, "systems": {}}])
def test_an_ablation_that_was_switched_off_is_none(files: Run, content: dict[str, Any]) -> None:
    write_sealed_json(files.ablation, content)
    inputs = read_run(files)
    assert inputs.ablation is None
    assert inputs.ablation_off == content.get("off", "")


@pytest.mark.parametrize("name", ["evaluation", "ranks", "mentions"])
def test_a_missing_file_is_named(files: Run, name: str) -> None:
    path: Path = getattr(files, name)
    path.unlink()
    with pytest.raises(DataError, match=rf"{path.name}: no such file"):
        read_run(files)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "evaluation",
            lambda e: e["baselines"]["BM25"]["mrr"].update(value="high"),
            r"evaluation\.json: baselines\.BM25\.mrr\.value: .*number",
        ),
        ("data", lambda d: d.pop("leaks"), r"data\.json: leaks: Field required; run the stage"),
        (
            "history",
            lambda h: h["epochs"][1].update(loss={"text": None}),
            r"history\.json: epochs\.1\.loss\.text: .*number",
        ),
    ],
)
def test_a_broken_file_is_named_with_its_key(
    files: Run, file: str, change: Callable[[Any], object], message: str
) -> None:
    edit(getattr(files, file), change)
    with pytest.raises(DataError, match=message):
        read_run(files)


def test_published_results_that_are_no_yaml(files: Run) -> None:
    (files.root / "reports/published.yaml").write_text("tables: [", encoding="utf-8")
    with pytest.raises(DataError, match=r"published\.yaml: not valid YAML"):
        read_run(files)
