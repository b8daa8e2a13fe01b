"""The stages one after the other: they write what dvc.yaml promises, and the same each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import torch

from mmoe.records import Mention, read_metadata, read_records

from pipeline.baselines import read_known
from pipeline.kept import write_left_out
from pipeline.layout import Layout
from tests.imports import ROOT
from tests.pipeline.project import DONE, STAGES, contents, run
from tests.pipeline.tiny import write_params
from tests.test_dvc_yaml import written

at = Layout("tiny")


def test_the_stages_write_what_dvc_yaml_promises_and_nothing_else(project: Path) -> None:
    promised = [Path(p.replace("some-set", "tiny")) for stage in STAGES for p in written(stage)]
    assert [path for path in promised if not path.exists()] == []
    found = [Path(path) for path in contents(*DONE)]
    promised.append(Path("reports/published.yaml"))
    assert [f for f in found if not any(f.is_relative_to(p) for p in promised)] == []


def test_the_log_says_what_computed(project: Path) -> None:
    run("evaluate", "tiny")
    run("metrics", "tiny")
    *_, evaluated, measured = map(json.loads, at.log.read_text().splitlines())
    assert (evaluated["stage"], measured["stage"]) == ("evaluate", "metrics")
    assert evaluated["threads"] == torch.get_num_threads()
    assert evaluated["kernel"] == torch.backends.cpu.get_cpu_capability()
    assert evaluated["seconds"] > 0


def test_finished_work_is_cleaned_up(project: Path) -> None:
    """What is left are encoded rows, from which the next encoding starts, the index, and logs."""
    left = {path.parts[1] for path in Path(".mmoe").rglob("*") if path.is_file()}
    assert left == {"encode", "description_ablation", "index", "log", "retrieve"}


def test_a_second_run_writes_the_same_bytes(project: Path) -> None:
    """No seconds, no dates, no names of machines."""
    before = contents(*DONE)
    for stage in STAGES:
        run(stage, "tiny")
        assert contents(*DONE) == before, stage


def test_two_runs_at_once_take_turns(project: Path) -> None:
    """Both end well, the second one after the first."""
    command = [sys.executable, "-m", "pipeline.rank", "tiny"]
    before = contents("data/interim")
    at.descriptions.unlink()
    both = [
        subprocess.Popen(
            command,
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    waited = "rank of tiny: process "
    assert sum(waited in err for _, err in said) <= 1
    assert contents("data/interim") == before


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
    assert len(metrics) <= 9
    assert pq.read_table(at.ranks / "ranks.parquet").num_rows == len(test)
    assert 0 <= metrics["hits_at_1"] <= metrics["mrr"] <= metrics["hits_at_10"] <= 100


def test_both_engines_give_the_same_ranks(project: Path) -> None:
    before = pq.read_table(at.ranks / "ranks.parquet", columns=["mention_id", "rank"])
    write_params(Path("params.yaml"), evaluate={"engine": "brute", "bootstrap_samples": 100})
    run("evaluate", "tiny")
    assert pq.read_table(at.ranks / "ranks.parquet", columns=["mention_id", "rank"]) == before


def test_leaking_mentions_are_left_out_where_the_policy_says_so(project: Path) -> None:
    train = [m for m in read_records(at.mentions, Mention) if m.split == "train"]
    write_left_out(at, "drop", [train[0].mention_id])
    before = contents("data/models")
    write_params(Path("params.yaml"), data={"leak_policy": "drop"})
    run("train", "tiny")
    assert contents("data/models") != before
    kept = read_known(at, "drop").mentions
    assert train[0] not in kept
    assert len(kept) == len(read_known(at, "keep").mentions) - 1
