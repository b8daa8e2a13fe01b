"""Charts hold what they are given, come out the same each time, and are readable in the dark."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from mmoe.reporting import charts, style
from mmoe.reporting.inputs import History
from mmoe.reporting.table import System

from tests.reporting.fixture import history

HISTORY = History.model_validate(history(12))
LOAD = HISTORY.epochs[-1].expert_load
SYSTEMS = (
    System("Ours <b>", "ours", {"mrr": 89.6, "mrr_low": 88.7, "mrr_high": 90.4}),
    System("No interval", "baseline", {"mrr": 81.9}),
    System("No MRR", "baseline", {"hits_at_1": 81.9}),
)
BUCKETS = [
    {"ranks": "1", "mentions": 3, "share": 75.0},
    {"ranks": "2", "mentions": 1, "share": 25.0},
]


def drawn() -> dict[str, str]:
    return {
        "intervals": charts.interval_chart(SYSTEMS),
        "loss": charts.loss_chart(HISTORY.epochs),
        "validation": charts.validation_chart(HISTORY),
        "learning rate": charts.learning_rate_chart(HISTORY.epochs),
        "experts": charts.expert_chart(LOAD),
        "ranks": charts.rank_chart({"Trained": BUCKETS, "Untrained": BUCKETS}),
    }


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.text]  # noqa: S314


def test_every_chart_is_the_same_each_time() -> None:
    assert drawn() == drawn()


def test_every_colour_has_a_counterpart_in_the_dark() -> None:
    for name, svg in drawn().items():
        colours = set(re.findall(r'(?:fill|stroke)="(.*?)"', svg)) - {"none", "transparent"}
        assert colours, name
        assert colours <= set(style.DARK), name


def test_no_chart_fetches_or_names_anything() -> None:
    for name, svg in drawn().items():
        assert not re.search(r"""<script|<image|href=|\bid=|url\(""", svg), name


def test_systems_without_mrr_are_left_out_and_names_are_escaped() -> None:
    shown = texts(charts.interval_chart(SYSTEMS))
    assert "Ours <b>" in shown
    assert "No interval" in shown
    assert "No MRR" not in shown


def test_the_untrained_matcher_is_epoch_0() -> None:
    assert "0" in texts(charts.validation_chart(HISTORY))
    alone = HISTORY.model_copy(update={"untrained_valid_mrr": None, "best_epoch": None})
    assert "0" not in texts(charts.validation_chart(alone))


def test_the_epoch_that_was_kept_has_its_value_printed() -> None:
    assert "88.00" in texts(charts.validation_chart(HISTORY))
    kept_start = HISTORY.model_copy(update={"best_epoch": 0})
    assert "85.20" in texts(charts.validation_chart(kept_start))


def test_long_training_keeps_few_ticks() -> None:
    epochs = History.model_validate(history(60)).epochs
    ticks = [text for text in texts(charts.learning_rate_chart(epochs)) if text.isdecimal()]
    assert 5 <= len(ticks) <= charts.MOST_TICKS + 2


def test_units_and_experts_are_named() -> None:
    shown = texts(charts.expert_chart(LOAD))
    assert {"Text", "Vision", "Cross", "1", "2", "3", "4"} <= set(shown)


def test_one_epoch_and_one_expert_are_enough() -> None:
    one = History.model_validate(history(1, units=("text",)))
    assert charts.loss_chart(one.epochs)
    assert charts.validation_chart(one)
    assert charts.expert_chart({"text": [1.0]})
