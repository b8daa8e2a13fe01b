"""The comparison of description backends on the tiny data set: stages rank, compare, benefit, report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from mmoe.descriptions import embedding
from mmoe.encoders import encode as encoding
from mmoe.records import Description, Mention, TextInput, read_records

from pipeline.layout import Layout
from tests.config.sheets import DEFAULTS
from tests.pipeline.project import contents, one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")
BACKENDS = DEFAULTS["compare"]["backends"]


def worth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((at.report / "descriptions.json").read_text())
    return found


def test_every_backend_chooses_for_every_test_mention(project: Path) -> None:
    test = [m for m in read_records(at.mentions, Mention) if m.split == "test" and m.in_kb]
    choices = read_records(at.choices, Description)
    by_backend = {name: [c for c in choices if c.backend == name] for name in BACKENDS}
    assert {len(found) for found in by_backend.values()} == {len(test)}
    assert len(choices) == len(BACKENDS) * len(test)
    assert choices[0].backend == "lexical"  # that of the run comes first
    texts = read_records(at.inputs("ablation_text"), TextInput)
    assert {text.id for text in texts} == {choice.text_id for choice in choices}


def test_the_runs_own_descriptions_get_the_figures_of_the_other_stages(project: Path) -> None:
    """Encoded apart and ranked by other code: evaluate and baselines are the oracle."""
    systems = worth()["systems"]
    metrics = json.loads((at.report / "metrics.json").read_text())
    baselines = json.loads((at.report / "baselines.json").read_text())
    for name in ("mrr", "hits_at_1", "mrr_low", "mrr_optimistic"):
        assert systems["mmoe"]["lexical"][name] == pytest.approx(metrics[name], abs=1e-3)
        for system in ("cosine, text–text", "two-part cosine", "CLIP zero-shot"):
            ours = systems[system]["lexical"][name]
            assert ours == pytest.approx(baselines[system][name], abs=1e-3)
    # Without a description BM25 asks what the baseline asks.
    bm25 = "BM25, word + context"
    assert systems["BM25 with description"]["none"]["mrr"] == baselines[bm25]["mrr"]


def test_a_perfect_choice_is_right_wherever_it_can_be(project: Path) -> None:
    found = worth()["choices"]
    assert found["oracle_candidate"]["share_right_where_possible"] == 1.0
    assert found["oracle_candidate"]["right"] == worth()["with_gold_candidate"]
    assert found["oracle_description"]["share_right"] == 1.0
    for name in ("first", "lexical", "embedding", "random"):
        assert found[name]["right"] <= found["oracle_candidate"]["right"]


def test_nothing_need_be_compared(project: Path) -> None:
    write_params(Path("params.yaml"), compare={"backends": []})
    for stage in ("compare", "benefit", "report"):
        if stage == "benefit":
            run("encode", "tiny", "ablation_text")
        run(stage, "tiny")
    assert list(worth()["choices"]) == ["lexical"]
    assert "gain_mrr" not in worth()["systems"]["mmoe"]["lexical"]
    page = (at.report / "report.html").read_text("utf-8")
    assert "Gain over no description" not in page


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
    run("compare", "tiny")
    choices = read_records(at.choices, Description)
    assert choices[0].backend == backend
    assert [record for record in records if record in choices] == choices[
        : len(choices) // len(BACKENDS)
    ]


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


@pytest.mark.parametrize("stage", ["rank", "compare"])
def test_a_killed_embedding_goes_on_with_what_is_done(
    stage: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In stage compare other backends come first: they must leave it alone."""
    write_params(Path("params.yaml"), rank={"backend": "embedding"})
    shutil.rmtree(".mmoe")
    if stage == "compare":  # there, embedding is one of many
        write_params(Path("params.yaml"))
    asked: list[str] = []
    plain = encoding._laid_out

    def noting(chunk: Sequence[TextInput], *rest: Any) -> Any:
        asked.extend(row.id for row in chunk)
        return plain(chunk, *rest)

    monkeypatch.setattr(encoding, "_laid_out", noting)
    run(stage, "tiny")
    whole, before = list(asked), contents("data/interim")
    shutil.rmtree(".mmoe")

    with monkeypatch.context() as patch:
        patch.setattr(embedding, "unit_rows", Mock(side_effect=StoppedError))
        with pytest.raises(StoppedError):  # the mentions are embedded, the candidates are not
            run(stage, "tiny")
    asked.clear()
    run(stage, "tiny")
    assert asked
    assert set(asked) < set(whole)
    assert contents("data/interim") == before


@pytest.mark.parametrize(
    "backend", ["first", "lexical", "embedding", "random", "oracle_candidate", "oracle_description"]
)
def test_a_backend_chooses_the_same_in_both_stages(backend: str, project: Path) -> None:
    compared = {
        choice.mention_id: choice
        for choice in read_records(at.choices, Description)
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
    said = f"mention_text: {len(after)} rows, {same} of them as in the last run, 0 from an"
    assert said in capsys.readouterr().out
