"""What the stages' fingerprints follow beside code; tests/dvc edits code in a clone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmoe.config.load import ParamsFile

from pipeline.fingerprints import MEMORY, Fingerprints
from pipeline.layout import STAGES
from tests.pipeline.tiny import write_params


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_params(Path("params.yaml"))
    return tmp_path


def behind_names(stage: str, **changes: tuple[str, str]) -> dict[str, Any]:
    """What a stage's fingerprint holds of names, under a changed params.yaml."""
    text = Path("params.yaml").read_text("utf-8")
    for old, new in changes.values():
        assert text.count(old) == 1
        text = text.replace(old, new)
    Path("changed.yaml").write_text(text, "utf-8")
    found: dict[str, Any] = Fingerprints(ParamsFile(Path("changed.yaml"))).of(stage)["behind_names"]
    return found


@pytest.mark.parametrize("damage", ["null", "a bit", "another value"])
def test_a_damaged_memory_is_not_believed(here: Path, damage: str) -> None:
    calm = Fingerprints(ParamsFile(Path("params.yaml")))
    wanted = {stage: calm.of(stage) for stage in STAGES[1:]}
    calm.remember()
    text = MEMORY.read_text("utf-8")
    trees = json.loads(text)["code"]
    some = next(iter(trees))
    trees[some][0] = None
    MEMORY.write_text(
        {
            "null": "null",
            "a bit": text.replace(some, "0" * len(some)),
            "another value": json.dumps(json.loads(text) | {"code": trees}),
        }[damage],
        "utf-8",
    )
    found = Fingerprints(ParamsFile(Path("params.yaml")))
    assert {stage: found.of(stage) for stage in STAGES[1:]} == wanted


def test_a_prompt_counts_with_what_it_includes(here: Path) -> None:
    (here / "mine.jinja").write_text("--- user ---\n{% include 'part.jinja' %}", "utf-8")
    (here / "part.jinja").write_text("Which one?", "utf-8")
    changes = {
        "backend": ("backend: lexical", "backend: openai"),
        "prompt": ("prompt: zero_shot", "prompt: ./mine.jinja"),
    }
    before = behind_names("rank", **changes)
    (here / "part.jinja").write_text("Which of them?", "utf-8")
    assert behind_names("rank", **changes) != before


@pytest.mark.parametrize("source", ["index", "api", "kb"])
def test_a_named_index_counts_whatever_the_source(here: Path, source: str) -> None:
    (here / "labels").mkdir()
    (here / "labels/rows.parquet").write_bytes(b"one")
    changes = {
        "source": ("source: index", f"source: {source}"),
        "index": ("  index: null", "  index: labels"),
    }
    before = behind_names("retrieve", **changes)
    (here / "labels/rows.parquet").write_bytes(b"other")
    assert behind_names("retrieve", **changes) != before


@pytest.mark.usefixtures("here")
def test_a_note_that_nothing_is_tuned_follows_what_writes_it() -> None:
    code = Fingerprints(ParamsFile()).of("tune")["code"]
    assert {"pipeline.tune", "mmoe.files"} == set(code)
