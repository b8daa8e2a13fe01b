"""The tables of the description ablation, and the candidates of an example."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from mmoe.records import Candidate, Description
from mmoe.reporting.descriptions import choice_table, gain_table, gap_table, mrr_table
from mmoe.reporting.examples import CANDIDATES_SHOWN, examples
from mmoe.reporting.inputs import Inputs
from mmoe.reporting.page import build_report
from mmoe.reporting.table import Table

from tests.reporting.fixture import GAIN, GAP, ablation

pytestmark = pytest.mark.usefixtures("without_charts")


def rows(table: Table | None) -> list[list[str]]:
    """Every row with its name, as texts."""
    assert table is not None
    return [[row.name, *(text for text, _ in row.cells)] for row in table.rows()]


def test_right_choices_have_intervals_and_none_has_no_share() -> None:
    assert rows(choice_table(ablation({}))) == [
        ["Language model (used)", "1,200", *["25.0 (10.0–50.0)"] * 3],
        ["None", "0", "–", "–", "–"],
    ]


def test_metrics_gains_and_gaps_by_backend_with_intervals() -> None:
    used, mrr = "Language model (used)", "50.00 (40.0–60.0)"
    assert rows(mrr_table(ablation({}))) == [[used, mrr], ["None", mrr]]
    assert rows(gain_table(ablation(GAIN))) == [[used, "−2.50 (−5.0 to 0.0)"]]
    assert rows(gap_table(ablation(GAP))) == [[used, "50 (−2 to 61)"]]
    assert rows(gap_table(ablation(dict.fromkeys(GAP)))) == [[used, "–"]]


def test_what_was_not_measured_has_no_table(inputs: Inputs) -> None:
    assert gain_table(ablation({})) is None
    assert gap_table(ablation(GAIN)) is None
    page = build_report(replace(inputs, ablation=ablation({})), 1).html
    assert "Right choices" in page
    assert '25.0 <span class="interval">(10.0–50.0)</span></td>' in page  # never broken inside
    assert "Gain over no description" not in page
    assert "oracle candidate's gain" not in page


def test_a_run_without_ablation_says_so(inputs: Inputs) -> None:
    built = build_report(replace(inputs, ablation=None, ablation_off="no candidates"), 0)
    assert "| Language model (used) |" in build_report(inputs, 0).markdown
    for text in (built.html, built.markdown):
        assert "worth was not measured in this run: no candidates." in text
        assert "Right choices" not in text


def shown(inputs: Inputs, chosen: int | None, num: int, score: float | None = None) -> Any:
    """An example of a mention with `num` candidates."""
    (first,) = examples(inputs, 1)
    mention_id = first.mention.mention_id
    candidates = [
        Candidate(mention_id, i, f"Q{900 + i}", "<i>Ada</i>", "", "label", None) for i in range(num)
    ]
    candidates[-1:] = [replace(candidates[-1], qid=first.gold.qid)]
    qid = None if chosen is None else candidates[chosen].qid
    text = None if chosen is None else "text"
    is_gold = None if chosen is None else qid == first.gold.qid
    record = Description(mention_id, qid, text, "openai", score, num, is_gold)
    changed = replace(
        inputs, candidates={mention_id: candidates}, descriptions={mention_id: record}
    )
    return examples(changed, 1)[0], build_report(changed, 1).html


def test_the_first_candidates_the_chosen_and_the_gold_one_are_shown(inputs: Inputs) -> None:
    example, page = shown(inputs, chosen=20, num=30, score=0.914)
    assert example.num_options == 30
    assert list(example.options) == [*range(1, CANDIDATES_SHOWN + 1), 21, 30]
    assert example.confidence == "confidence 0.914"
    assert "30 candidates, 10 shown" in page
    assert re.search(r'<li value="21">.*<span class="tag bad">chosen</span></li>', page)
    assert re.search(r'<li value="30">.*<span class="tag">gold</span></li>', page)
    assert '<li value="21"><bdi>&lt;i&gt;Ada&lt;/i&gt;</bdi>' in page
    assert '<span class="tag bad">wrong</span>' in page


def test_none_chosen_is_said_and_the_candidates_stay(inputs: Inputs) -> None:
    example, page = shown(inputs, chosen=None, num=3)
    assert len(example.options) == 3
    assert "3 candidates" in page
    assert '<dd class="small">none chosen</dd>' in page


@pytest.mark.parametrize("backend", ["oracle_candidate", "lexical"])
def test_a_run_that_reads_the_answer_says_so_first(backend: str, inputs: Inputs) -> None:
    built = build_report(replace(inputs, ranking={"backend": backend}, ablation=None), 0)
    for text in (built.html, built.markdown):
        said = text.find("Upper bounds, not results")
        assert (0 < said < text.find("Exact name")) is (backend != "lexical")
