"""`schema` prints what docs/own-data.schema.json holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmoe.cli import main

PUBLISHED = Path(__file__).parents[2] / "docs" / "own-data.schema.json"


def test_the_published_schema_is_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert PUBLISHED.read_text("utf-8") == capsys.readouterr().out, (
        "mmoe schema > docs/own-data.schema.json"
    )


def test_the_schema_of_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "entities"]) == 0
    assert json.loads(capsys.readouterr().out)["required"] == ["qid", "name"]
