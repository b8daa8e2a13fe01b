"""Charts hold what they are given, come out the same each time, and are readable in the dark."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from mmoe.evaluation.histogram import rank_histogram
from mmoe.reporting import charts
from mmoe.reporting.inputs import History
from mmoe.reporting.table import System

from tests.reporting.fixture import history

HISTORY = History.model_validate(history(12))
SYSTEMS = (
    System("Ours <b>", "ours", {"mrr": 89.6, "mrr_low": 88.7, "mrr_high": 90.4}),
    System("Baseline", "baseline", {"mrr": 81.9, "mrr_low": 80.0, "mrr_high": 82.0}),
)
BUCKETS = rank_histogram(np.array([1, 1, 1, 2]))


@pytest.fixture(scope="module")
def svgs() -> dict[str, Markup]:
    return charts.draw(HISTORY, SYSTEMS, {"Trained": BUCKETS, "Untrained": BUCKETS})


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.text]  # noqa: S314


def test_no_chart_fetches_anything_and_every_colour_has_a_counterpart_in_the_dark(
    svgs: dict[str, Markup],
) -> None:
    assert len(svgs) == 6
    for name, svg in svgs.items():
        assert not re.search(r"""<script|<image|href=|\bid=|url\(""", svg), name
        colours = set(re.findall(r'(?:fill|stroke)="(.*?)"', svg)) - {"none", "transparent"}
        assert colours, name
        assert colours <= set(charts.DARK), name


def test_names_are_escaped_and_units_and_experts_named(svgs: dict[str, Markup]) -> None:
    assert {"Ours <b>", "Baseline"} <= set(texts(svgs["intervals"]))
    assert {"Text", "Vision", "Cross", "1", "2", "3", "4"} <= set(texts(svgs["experts"]))


def test_the_untrained_matcher_is_epoch_0_and_the_kept_epoch_has_its_value(
    svgs: dict[str, Markup],
) -> None:
    assert {"0", "88.00"} <= set(texts(svgs["held_out"]))
    kept_start = HISTORY.model_copy(update={"best_epoch": 0})
    assert "85.20" in texts(charts.held_out_chart(kept_start))
    alone = HISTORY.model_copy(update={"untrained_held_out_mrr": None, "best_epoch": None})
    assert "0" not in texts(charts.held_out_chart(alone))


def test_long_training_keeps_few_ticks() -> None:
    epochs = History.model_validate(history(60)).epochs
    ticks = [text for text in texts(charts.learning_rate_chart(epochs)) if text.isdecimal()]
    assert 5 <= len(ticks) <= charts.MOST_TICKS + 2


def test_one_epoch_and_one_expert_are_enough() -> None:
    one = History.model_validate(history(1, units=("text",)))
    assert charts.draw(one, SYSTEMS[:1], {"Trained": BUCKETS}).keys() >= {"loss", "held_out"}
    assert charts.expert_chart({"text": [1.0]})
