"""The comparison of description backends on the tiny data set: stages rank and description_ablation."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest

from mmoe.descriptions import embedding
from mmoe.encoders import encode as encoding
from mmoe.encoders.rows import encode_text_rows
from mmoe.records import (
    Candidate,
    Description,
    Mention,
    TextInput,
    read_records,
    write_records,
)

from pipeline.layout import Layout
from tests.config.sheets import DEFAULTS
from tests.pipeline.project import contents, one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")
BACKENDS = DEFAULTS["description_ablation"]["backends"]
CHOICES = at.ranks / "choices.parquet"


def worth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((at.report / "description_ablation.json").read_text())
    return found


def test_every_backend_chooses_for_every_test_mention(project: Path) -> None:
    test = [m for m in read_records(at.mentions, Mention) if m.split == "test" and m.in_kb]
    choices = read_records(CHOICES, Description)
    by_backend = {name: [c for c in choices if c.backend == name] for name in BACKENDS}
    assert {len(found) for found in by_backend.values()} == {len(test)}
    assert len(choices) == len(BACKENDS) * len(test)
    assert choices[0].backend == "lexical"  # that of the run comes first


def test_the_runs_own_descriptions_get_the_ranks_of_the_other_stages(project: Path) -> None:
    """Ranked by other code: evaluate and baselines are the oracle."""
    found = pd.read_parquet(at.ranks / "description_ablation.parquet")
    own = found[found["backend"] == "lexical"].set_index("mention_id")
    trained = pd.read_parquet(at.ranks / "ranks.parquet").set_index("mention_id")
    assert own[own["system"] == "mmoe"]["rank"].to_dict() == trained["rank"].to_dict()
    baselines = pd.read_parquet(at.ranks / "baselines.parquet")
    for system in ("cosine, text–text", "two-part cosine", "CLIP zero-shot"):
        theirs = baselines[baselines["method"] == system].set_index("mention_id")["rank"]
        assert own[own["system"] == system]["rank"].to_dict() == theirs.to_dict()


def test_a_perfect_choice_is_right_wherever_it_can_be(project: Path) -> None:
    found = worth()["choices"]
    assert found["oracle_candidate"]["share_right_where_possible"] == 1.0
    assert found["oracle_candidate"]["right"] == worth()["with_gold_candidate"]
    assert found["oracle_description"]["share_right"] == 1.0
    for name in ("first", "lexical", "embedding", "random"):
        assert found[name]["right"] <= found["oracle_candidate"]["right"]


@pytest.mark.parametrize(
    ("knobs", "why"),
    [
        ({"enabled": False}, "description_ablation.enabled is false"),
        ({"backends": []}, "description_ablation.backends is empty"),
        ({}, "no test mention has a candidate"),
    ],
)
def test_it_is_off_by_a_knob_and_without_candidates(
    knobs: dict[str, Any], why: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(Path("params.yaml"), description_ablation=knobs)
    if not knobs:
        write_records(at.candidates, Candidate, [], made_of=at.records)
        run("rank", "tiny")
    capsys.readouterr()
    shutil.rmtree(at.features)  # it reads none
    run("description_ablation", "tiny")
    assert capsys.readouterr().out == f"tiny: descriptions are not compared: {why}\n"
    run("metrics", "tiny")
    found = worth()
    assert (found["off"], found["choices"], found["systems"]) == (why, {}, {})
    run("report", "tiny")


def test_it_says_what_it_will_cost_before_it_starts(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("description_ablation", "tiny")
    said = capsys.readouterr().out
    assert re.match(
        r"tiny: 7 backends make \d+ different texts of 5 mentions; \d+ are encoded", said
    )


@pytest.mark.parametrize(
    "backend", ["embedding", "random", "oracle_candidate", "oracle_description"]
)
def test_each_backend_can_be_that_of_the_run(backend: str, project: Path) -> None:
    write_params(Path("params.yaml"), rank={"backend": backend})
    run("rank", "tiny")
    assert json.loads(at.rank_counts.read_text())["backend"] == backend
    records = read_records(at.descriptions, Description)
    assert {record.backend for record in records} == {backend}
    before = contents("data/interim")
    run("rank", "tiny")
    assert contents("data/interim") == before


def test_an_encoder_that_is_not_there_ends_with_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(
        Path("params.yaml"), rank={"backend": "embedding", "encoder": "package:nowhere/model"}
    )
    line = one_line(capsys, "rank", "tiny")
    assert line.startswith(
        "rank.encoder = package:nowhere/model: the Python package nowhere is not"
    )


class StoppedError(Exception):
    """Ends a run from inside, as a full disk would."""


def test_a_killed_embedding_goes_on_with_what_is_done(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_params(Path("params.yaml"), rank={"backend": "embedding"})
    asked: list[str] = []

    def noting(encoder: Any, rows: Sequence[TextInput], *rest: Any) -> Any:
        asked.extend(row.id for row in rows)
        return encode_text_rows(encoder, rows, *rest)

    monkeypatch.setattr(encoding, "encode_text_rows", noting)
    run("rank", "tiny")
    whole, before = list(asked), contents("data/interim")
    shutil.rmtree(".mmoe")
    with monkeypatch.context() as patch:
        patch.setattr(embedding, "unit_rows", Mock(side_effect=StoppedError))
        with pytest.raises(StoppedError):  # the mentions are embedded, the candidates are not
            run("rank", "tiny")
    asked.clear()
    run("rank", "tiny")
    assert asked
    assert set(asked) < set(whole)
    assert contents("data/interim") == before


@pytest.mark.parametrize("backend", ["first", "embedding", "random", "oracle_description"])
def test_a_backend_chooses_the_same_in_both_stages(backend: str, project: Path) -> None:
    compared = {
        choice.mention_id: choice
        for choice in read_records(CHOICES, Description)
        if choice.backend == backend
    }
    write_params(Path("params.yaml"), rank={"backend": backend})
    run("rank", "tiny")
    for record in read_records(at.descriptions, Description):
        if record.mention_id in compared:
            other = compared.pop(record.mention_id)
            assert replace(record, score=None) == replace(other, score=None)
            assert record.score == pytest.approx(other.score)
    assert not compared


def test_another_ranker_encodes_only_the_texts_with_another_description(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {row.id: row for row in read_records(at.inputs("mention_text"), TextInput)}
    write_params(Path("params.yaml"), rank={"backend": "first"})
    run("rank", "tiny")
    after = read_records(at.inputs("mention_text"), TextInput)
    same = sum(before[row.id] == row for row in after)
    assert 0 < same < len(after)
    capsys.readouterr()
    run("encode", "tiny", "mention_text")
    said = f"mention_text: {len(after)} rows, {same} of them kept from an earlier run"
    assert said in capsys.readouterr().out
