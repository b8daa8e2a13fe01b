"""What the second look goes by: the heaviest weights first, and nothing where nothing is reranked."""

from __future__ import annotations

from pathlib import Path

from mmoe.files import write_json
from mmoe.reporting.page import build_report
from mmoe.reporting.reranker import SHOWN_FEATURES, weight_tables

from tests.reporting.fixture import read_run, write_run


def test_the_heaviest_features_come_first(tmp_path: Path) -> None:
    inputs = read_run(write_run(tmp_path))
    table = weight_tables(inputs.reranker)["Reranked"]
    rows = {row.name: [text for text, _ in row.cells] for row in table.rows()}
    assert table.titles == ["Weight", "Missing"]
    assert list(rows) == [f"Feature <{n}>" for n in range(19, 19 - SHOWN_FEATURES, -1)]
    assert rows["Feature <19>"] == ["−4.75", "+1.00"]
    assert rows["Feature <18>"] == ["+4.50", "–"]


def test_a_run_that_reranks_nothing_has_no_such_section(tmp_path: Path) -> None:
    files = write_run(tmp_path)
    assert "Two-stage linking" in build_report(read_run(files), 0).markdown
    write_json(files.reranker, {"recall": 0.0, "valid_mrr": {}, "weights": {}})
    built = build_report(read_run(files), 0)
    assert 'href="#reranking"' not in built.html
    assert "## Two-stage linking" not in built.markdown
