"""On all of the sample's test mentions a Linker answers as stage rerank did; run behind `make demo`."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mmoe import Linker, Query
from mmoe.records import Description, Mention, read_records

from pipeline.layout import Layout
from tests.imports import ROOT

at = Layout("sample")
pytestmark = [
    pytest.mark.demo,
    pytest.mark.skipif(not (ROOT / at.bundle).is_dir(), reason="the sample's pipeline has not run"),
]


@pytest.mark.parametrize("opened", ["run", "bundle", "bundle, exact"])
def test_it_answers_as_the_stage(opened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    if opened == "run":
        linker = Linker.from_run(at.model, at.interim)
    else:
        linker = Linker.from_pretrained(at.bundle, exact=opened.endswith("exact"))
    assert linker.engine.reranker is not None
    mentions = {m.mention_id: m for m in read_records(at.mentions, Mention)}
    described = {r.mention_id: r for r in read_records(at.descriptions, Description)}
    table = pq.read_table(at.ranks / "reranked.parquet").to_pylist()
    rows = [row for row in table if row["method"] == table[-1]["method"]]  # the better one is last
    asked = [mentions[row["mention_id"]] for row in rows]
    queries = [
        Query(m.surface_form, m.context, None if m.image is None else at.raw / Path(m.image))
        for m in asked
    ]
    results = linker.link_many(queries, top_k=linker.engine.reranker.depth)
    assert len(rows) == 286
    for row, mention, result in zip(rows, asked, results, strict=True):
        own = described[mention.mention_id]
        assert (result.description, result.described_by) == (own.description, own.qid)
        place = 1 + [link.qid for link in result].index(str(mention.gold_qid))
        assert row["rank_optimistic"] <= place <= row["rank"], mention.mention_id
