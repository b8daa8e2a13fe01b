"""What the sample was made to show: each part of the method visibly matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.stage import checked_params
from pipeline.table import TEXTS_ALONE, Row, systems
from tests.imports import ROOT
from tests.pipeline.project import run

DATASET, SEEDS = "sample", (43, 44, 45)


@pytest.mark.slow
def test_each_part_of_the_method_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw" / DATASET).symlink_to(ROOT / "data/raw" / DATASET)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    for stage in ("ingest", "retrieve", "rank", "audit"):
        run(stage, DATASET)
    file = checked_params()
    described = systems(DATASET, file, SEEDS, ["MMoE", TEXTS_ALONE])
    bare = systems(DATASET, file.changed({"rank.backend": "none"}), SEEDS, ["MMoE"])
    shown = {row.name: row for row in described}
    full, texts, without = shown["MMoE"], shown[TEXTS_ALONE], bare[-1]
    assert mrr(full) >= mrr(texts) + 10
    # Three or four entities share a name.
    assert mrr(full, "image") >= 80
    assert mrr(texts, "image") <= 60
    assert mrr(full, "description") >= mrr(without, "description") + 5
    for name in ("exact name", "BM25, surface form + context", "two-part cosine"):
        assert mrr(shown[name]) <= mrr(full) - 10, name
    assert mrr(full) > mrr(shown["learned weights, cosines"])


def mrr(row: Row, evidence: str | None = None) -> float:
    """Over all seeds, of all mentions or of those that this evidence decides."""
    if evidence is None:
        return float(row.whole_SM.mean())
    return float(row.whole_SM[:, row.evidence_M.eq(evidence).to_numpy(bool)].mean())
