"""Ranks and metrics as DataFrames, joined with what is known of the mentions; the stage that writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mmoe.config.load import ParamsFile
from mmoe.errors import DataError
from mmoe.evaluation.metrics import system_metrics
from mmoe.evaluation.reading import (
    breakdowns,
    join_mentions,
    ranked_systems,
    read_metrics,
    read_ranks,
)
from mmoe.files import write_sealed_json
from mmoe.records import Entity, Leak, Mention, write_records
from mmoe.sealed_parquet import write_sealed

from pipeline.layout import Layout
from pipeline.metrics import metrics
from tests.evaluation.cases import leak, mention, ranks_of

MENTIONS = [
    *(mention("a", "text"), mention("b"), mention("c", "image"), mention("d", "text")),
    mention("nil"),
    mention("trained", split="train"),
]
LEAKS = [
    *(leak("a"), leak("b", context=True), leak("c", gold=True), leak("d", own=True)),
    *(leak("nil"), leak("trained")),
]
ENTITIES = [
    Entity(qid, name, "", ()) for qid, name in (("Q1", "Form"), ("Q2", "FORM"), ("Q3", "x"))
]
IDS = ["c", "a", "b", "d"]
RANKS = [1, 9, 2, 4]


def rank_frame(untrained: Sequence[int | None] = (3, 9, 9, 9)) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "mention_id": IDS,
            "gold_qid": "Q1",
            "rank": RANKS,
            "rank_optimistic": RANKS,
            "untrained_rank": pd.array(untrained, dtype="Int64"),
            "candidate_rank": pd.array([1, None, 2, 4], dtype="Int64"),
            "candidate_rank_optimistic": 1,
        }
    )


def baseline_frame(names: Sequence[str] = ("a", "b", "c", "d")) -> pd.DataFrame:
    rows = [(name, "BM25", i + 2, 1) for i, name in enumerate(names)]
    frame = pd.DataFrame(rows, columns=["mention_id", "method", "rank", "rank_optimistic"])
    return frame.assign(candidate_rank=None, candidate_rank_optimistic=None)


def test_breakdowns_are_those_of_the_records() -> None:
    frame = join_mentions(rank_frame(), MENTIONS, LEAKS)
    assert frame["mention_id"].tolist() == IDS
    frame["gold_qid"] = ["Q1", "Q2", "Q3", "Q3"]
    parts = breakdowns(frame, ENTITIES)
    assert {name: [IDS[i] for i in np.flatnonzero(rows)] for name, rows in parts.items()} == {
        "clean": ["c", "a"],
        "unseen_gold": ["a", "b", "d"],
        "shared_name": ["c", "a"],
        "form_is_name": ["c", "a"],
        "form_is_not_name": ["b", "d"],
        "evidence_image": ["c"],
        "evidence_text": ["a", "d"],
    }


def test_a_data_set_without_evidence_has_none() -> None:
    plain = [mention(name) for name in IDS]
    parts = breakdowns(join_mentions(rank_frame(), plain, LEAKS), ENTITIES)
    assert not [name for name in parts if name.startswith("evidence")]


def test_ranks_of_another_run_are_refused() -> None:
    with pytest.raises(DataError, match=r"ranks\.parquet names mention d, which"):
        join_mentions(rank_frame(), MENTIONS[:3], LEAKS)
    with pytest.raises(DataError, match=r"baselines\.parquet: BM25 ranked other mentions"):
        ranked_systems(rank_frame(), baseline_frame(["a", "b"]))


def test_baselines_are_put_into_the_order_of_the_matcher() -> None:
    found = ranked_systems(rank_frame(), baseline_frame())
    assert found is not None
    assert found.ranks.pessimistic.tolist() == RANKS
    assert found.baselines["BM25"].pessimistic.tolist() == [4, 2, 3, 5]


def test_without_retrieval_there_are_no_ranks_among_candidates() -> None:
    assert ranked_systems(rank_frame(), baseline_frame(), "candidate_rank") is None
    whole = rank_frame().assign(candidate_rank=[1, 1, 2, 3])
    orders = pd.concat([baseline_frame(), baseline_frame().assign(method="order", rank=None)])
    orders["candidate_rank"] = orders["candidate_rank_optimistic"] = 5
    found = ranked_systems(whole, orders), ranked_systems(whole, orders, "candidate_rank")
    assert [each and list(each.baselines) for each in found] == [["BM25"], ["BM25", "order"]]


def ablation_frame() -> pd.DataFrame:
    parts = [
        rank_frame().assign(backend=backend, system="mmoe", rank=ranks)
        for backend, ranks in (("first", RANKS), ("none", [10, 10, 10, 10]))
    ]
    return pd.concat(parts)[["mention_id", "backend", "system", "rank", "rank_optimistic"]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of which the ranks are known and stage metrics has finished."""
    at = Layout("toy")
    params = Path("params.yaml").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(params, encoding="utf-8")
    for path in (at.interim, at.ranks, at.report):
        path.mkdir(parents=True)
    write_records(at.mentions, Mention, MENTIONS)
    write_records(at.entities, Entity, ENTITIES)
    write_records(at.leaks, Leak, LEAKS, made_of=at.records)
    for name, frame in (
        ("ranks", rank_frame()),
        ("baselines", baseline_frame()),
        ("reranked", baseline_frame().assign(method="reranked")),
        ("description_ablation", ablation_frame()),
    ):
        write_sealed(at.ranks / f"{name}.parquet", pa.Table.from_pandas(frame), at.records)
    write_sealed_json(at.ranks / "choices.json", {"used": "first", "choices": {}})
    metrics(at, ParamsFile())
    return tmp_path


def test_the_stage_writes_few_figures_for_dvc_and_all_others_beside_them(run: Path) -> None:
    report = run / "reports/toy"
    tracked = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
    assert (len(tracked), tracked["num_mentions"], tracked["hits_at_1"]) == (9, 4, 25)
    everything = json.loads((report / "evaluation.json").read_text(encoding="utf-8"))
    assert everything["num_left_out"] == 1
    assert everything["strongest_baseline"] == "BM25"
    ablation = json.loads((report / "description_ablation.json").read_text(encoding="utf-8"))
    first = ablation["systems"]["mmoe"]["first"]
    assert ablation["used"] == "first"
    assert first["gain_mrr"] == pytest.approx(tracked["mrr"] - 10, abs=1e-3)
    assert (report / "plots/ranks.csv").read_text(encoding="utf-8").startswith("ranks,mentions,")


def test_metrics_are_one_row_a_system_or_part(run: Path) -> None:
    table = read_metrics("toy", run)
    assert table["kind"].value_counts().to_dict() == {
        "system": 1,
        "untrained": 1,
        "reranked": 1,
        "baseline": 1,
        "breakdown": 6,
        "reranked breakdown": 6,
    }
    whole = table.iloc[0]
    wanted = system_metrics(ranks_of(RANKS), [1, 3], 100).flat()
    for name in ("num_mentions", "mrr", "hits_at_1", "hits_at_3_low", "median_rank"):
        assert whole[name] == pytest.approx(wanted[name]), name
    baseline = table.set_index("name").loc["BM25"]
    assert baseline["gain_mrr"] == pytest.approx(whole["mrr"] - baseline["mrr"], abs=1e-3)


def test_ranks_come_with_the_mentions_fields(run: Path) -> None:
    ranks = read_ranks("toy", run)
    assert ranks[ranks["rank"] > 1].groupby("evidence")["rank"].max().to_dict() == {"text": 9}
    assert {"surface_form", "context", "is_clean", "untrained_rank"} <= set(ranks.columns)


def test_missing_and_broken_files_are_named(run: Path) -> None:
    with pytest.raises(DataError, match=r"ranks\.parquet: no such file"):
        read_ranks("other", run)
    with pytest.raises(DataError, match=r"evaluation\.json: no such file"):
        read_metrics("other", run)
    write_sealed_json(run / "reports/toy/evaluation.json", {"system": 1})
    with pytest.raises(DataError, match=r"evaluation\.json: not what stage metrics writes"):
        read_metrics("toy", run)
    ranks = run / "data/ranks/toy/ranks.parquet"
    ranks.write_bytes(ranks.read_bytes()[:50])
    with pytest.raises(DataError, match=r"ranks\.parquet: not a whole"):
        read_ranks("toy", run)
