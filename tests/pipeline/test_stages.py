"""The stages one after the other: they write what dvc.yaml promises, and the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mmoe.records import Entity, Mention, read_metadata, read_records

from pipeline.layout import PARTS, Layout
from tests.pipeline.project import DONE, contents, run
from tests.pipeline.tiny import write_params
from tests.test_dvc_yaml import STAGES, written

at = Layout("tiny")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_writes_all_that_dvc_yaml_promises(stage: str, project: Path) -> None:
    for part in PARTS if stage == "encode" else PARTS[:1]:
        promised = [path.replace("some-set", "tiny") for path in written(stage)]
        if stage == "encode":
            promised = [path.replace(PARTS[0], part) for path in promised]
        assert [path for path in promised if not Path(path).exists()] == []


def test_the_stages_write_nothing_else(project: Path) -> None:
    promised = [
        Path(path.replace("some-set", "tiny").replace(PARTS[0], part))
        for stage in STAGES
        for part in (PARTS if stage == "encode" else PARTS[:1])
        for path in written(stage)
    ]
    promised.append(Path("reports/published.yaml"))
    found = [Path(path) for path in contents(*DONE)]
    assert [f for f in found if not any(f.is_relative_to(p) for p in promised)] == []


def test_finished_work_is_cleaned_up(project: Path) -> None:
    """What is left are the last features, from which the next encoding starts."""
    left = {path.parents[1].name for path in Path(".mmoe").rglob("*") if path.is_file()}
    assert left == {f"{part}-kept" for part in (*PARTS, "mention", "candidate")}


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "encode"])
def test_a_second_run_writes_the_same_bytes(stage: str, project: Path) -> None:
    before = contents(*DONE)
    run(stage, "tiny")
    after = contents(*DONE)
    timed = at.retrieve_runs.as_posix()  # its seconds differ
    assert before.pop(timed)
    assert after.pop(timed)
    assert after == before


@pytest.mark.parametrize("part", PARTS)
def test_a_second_encoding_writes_the_same_bytes(part: str, project: Path) -> None:
    before = contents(*DONE)
    run("encode", "tiny", part)
    assert contents(*DONE) == before


def test_the_mentions_are_those_of_the_raw_folder(project: Path) -> None:
    mentions = read_records(at.mentions, Mention)
    assert {m.split for m in mentions} == {"train", "valid", "test"}
    assert len(mentions) + json.loads(at.ingest_counts.read_text())["nil"] <= 20
    sources = read_metadata(at.mentions)["sources"]
    assert set(sources) == {"mentions.jsonl", "entities.jsonl"}


def test_metrics_count_the_test_mentions(project: Path) -> None:
    metrics = json.loads((at.report / "metrics.json").read_text())
    test = [m for m in read_records(at.mentions, Mention) if m.split == "test" and m.in_kb]
    assert metrics["num_mentions"] == len(test)
    assert metrics["num_entities"] == len(read_records(at.entities, Entity))
    assert pq.read_table(at.ranks / "ranks.parquet").num_rows == len(test)
    assert 0 <= metrics["hits_at_1"] <= metrics["mrr"] <= metrics["hits_at_10"] <= 100


def test_both_engines_give_the_same_metrics(project: Path) -> None:
    before = (at.report / "metrics.json").read_text()
    write_params(Path("params.yaml"), evaluate={"engine": "brute", "bootstrap_samples": 100})
    run("evaluate", "tiny")
    assert (at.report / "metrics.json").read_text() == before


def test_no_epoch_keeps_the_untrained_matcher(project: Path) -> None:
    write_params(Path("params.yaml"), train={"max_epochs": 0})
    run("train", "tiny")
    found = contents("data/models")
    weights = [found[f"{at.model}/{name}.safetensors"] for name in ("matcher", "untrained")]
    assert weights[0] == weights[1]
