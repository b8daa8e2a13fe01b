"""Stage rerank on the tiny data set: ranks, weights, its knobs, and that no answer leaks into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from mmoe.baselines.run import FeatureParts
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.files import read_json
from mmoe.records import Mention, read_records, write_records
from mmoe.reranking.calibration import Answered, Calibration
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.reranker import SIMILARITIES, WITH_MATCHER
from mmoe.reranking.run import run_reranking
from mmoe.sealed_parquet import write_sealed

from pipeline.baselines import read_known
from pipeline.layout import Layout
from tests.pipeline.project import one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")


def methods() -> list[str]:
    return list(dict.fromkeys(pq.read_table(at.ranks / "reranked.parquet")["method"].to_pylist()))


def test_it_ranks_every_test_mention_and_the_report_shows_it(project: Path) -> None:
    table = pq.read_table(at.ranks / "reranked.parquet").to_pandas()
    mentions = pq.read_table(at.ranks / "ranks.parquet")["mention_id"].to_pylist()
    for _, rows in table.groupby("method"):
        assert rows["mention_id"].tolist() == mentions
        assert (rows["rank"] >= rows["rank_optimistic"]).all()
    learned = read_json(at.model / "reranker.json")
    weights, valid_mrr = learned["weights"], learned["valid_mrr"]
    assert weights.keys() == valid_mrr.keys() == {SIMILARITIES, WITH_MATCHER}
    assert methods()[:1] == ["shortlist"]
    assert sorted(methods()[1:]) == sorted(weights)
    assert valid_mrr[methods()[-1]] == max(valid_mrr.values())  # which the report calls the result
    assert "retrieved" in weights[SIMILARITIES]
    assert "matcher, text" in weights[WITH_MATCHER]
    report = (at.report / "report.md").read_text("utf-8")
    assert f"Two-stage linking ({methods()[-1]})" in report


def test_without_candidates_it_ranks_the_whole_knowledge_base(project: Path) -> None:
    write_params(Path("params.yaml"), rerank={"use_candidates": False})
    run("rerank", "tiny")
    weights = read_json(at.model / "reranker.json")["weights"]
    assert "retrieved" not in weights[SIMILARITIES]


@pytest.mark.parametrize(
    ("knobs", "left"),
    [({"use_matcher": False}, ["shortlist", SIMILARITIES]), ({"depth": 0}, [])],
)
def test_a_knob_leaves_the_matcher_or_all_of_it_out(
    project: Path, knobs: dict[str, object], left: list[str]
) -> None:
    write_params(Path("params.yaml"), rerank=knobs)
    for stage in ("rerank", "metrics", "report"):
        run(stage, "tiny")
    assert methods() == left
    assert list(read_json(at.report / "evaluation.json")["reranked"]) == left


def test_own_nil_mentions_count_in_the_calibration_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mentions = read_records(at.mentions, Mention)
    nil = {next(m.mention_id for m in mentions if m.split == split) for split in ("valid", "test")}
    changed = [
        replace(m, gold_qid=None, in_kb=False) if m.mention_id in nil else m for m in mentions
    ]
    write_records(at.mentions, Mention, changed)
    for stage in ("retrieve", "rank"):
        run(stage, "tiny")
    seen: list[Answered] = []
    fit = Calibration.fit

    def fitted(lists: Answered) -> Calibration | None:
        seen.append(lists)
        return fit(lists)

    def measured(_: Calibration, lists: Answered) -> dict[str, object]:
        seen.append(lists)
        return {}

    monkeypatch.setattr(Calibration, "fit", fitted)
    monkeypatch.setattr("mmoe.reranking.run.measured", measured)
    run("rerank", "tiny")
    for lists in seen:
        assert (lists.gold_M[-1], lists.is_nil_M[-1]) == (-1, True)
        assert not lists.is_nil_M.all()
    assert len(seen) == 2
    ranked = pq.read_table(at.ranks / "reranked.parquet")["mention_id"].to_pylist()
    assert not nil & set(ranked)


def test_without_mentions_to_learn_from_it_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(at.mentions)
    kept = table.filter([split != "valid" for split in table["split"].to_pylist()])
    write_sealed(at.mentions, kept)
    for stage in ("retrieve", "rank", "encode"):
        run(stage, "tiny")
    assert "set rerank.depth: 0" in one_line(capsys, "rerank", "tiny")


class Memory:
    """A matcher that knows the answers of some mentions by heart and nothing else."""

    names = ("memory",)

    def __init__(self, mentions: Sequence[Mention], known: str, gold: NDArray[np.int64]) -> None:
        self._knows = [mention.split == known for mention in mentions]
        self._gold = gold

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        right = pairs.entities_BD == self._gold[pairs.rows, None]
        known: NDArray[np.bool_] = right & np.array(self._knows)[pairs.rows, None]
        return known.astype(np.float32)[..., None]


def test_what_a_matcher_learned_by_heart_gets_no_weight(project: Path) -> None:
    """Its scores on train mentions look perfect, and say nothing of others: nothing is fitted on them."""
    records = read_known(at, "keep")
    config = ParamsFile(Path("params.yaml")).section(EncodeParams).feature_config
    asked: list[str] = []

    def weight_of(known: str) -> float:
        def family(mentions: Sequence[Mention]) -> Memory:
            asked.extend(mention.split for mention in mentions)
            return Memory(mentions, known, records.gold_of(mentions))

        found = run_reranking(records, FeatureParts(at.features, config), 8, family)
        return float(found.combiners[WITH_MATCHER].weights_F[1])

    # The same leak where it would be seen; of five mentions the prior leaves little.
    assert weight_of("valid") > 0.01
    assert weight_of("train") == pytest.approx(0, abs=1e-6)
    assert set(asked) == {"valid", "test"}
