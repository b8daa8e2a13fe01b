"""Values as text, alone or with the label of another entity."""

from __future__ import annotations

from typing import Any

import pytest

from mmoe.wikidata.knowledge.values import UnwrittenError, Value, read_value

from tests.wikidata.knowledge.statements import amount_value, item_value, time_value

LANGUAGES = ("en", "fr")
LABELS = {"Q5": "human", "Q11573": "metre"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ada Testwell 1901.jpg", "Ada Testwell 1901.jpg"),
        (" two\n lines ", "two lines"),
        (item_value("Q5"), "human"),
        ({"entity-type": "item", "numeric-id": 5, "id": "Q5"}, "human"),
        (item_value("Q6"), None),
        (time_value("+1901-00-00T00:00:00Z", 9), "1901"),
        (amount_value("+828", "Q11573"), "828 metre"),
        (amount_value("-4.50", "Q11573"), "-4.50 metre"),
        (amount_value("+12"), "12"),
        (amount_value("12"), "12"),
        (amount_value("+1", "Q999"), None),
        ({"text": "Liberté", "language": "fr"}, "Liberté"),
        ({"text": "Li", "language": "mul"}, "Li"),
    ],
)
def test_each_kind_of_value(value: Any, expected: str | None) -> None:
    assert read_value(value, LANGUAGES).written(LABELS) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"latitude": 1.5, "longitude": 2.5, "globe": "x"}, "of a kind that has no text"),
        (7, "of a kind that has no text"),
        ({"entity-type": "item", "numeric-id": 5}, "of a kind that has no text"),
        (time_value("+0000-00-00T00:00:00Z", 9), "time that can't be read"),
        ({"amount": 12, "unit": "1"}, "quantity that can't be read"),
        (amount_value("1e5"), "quantity that can't be read"),
        ({"amount": "+1", "unit": None}, "quantity that can't be read"),
        (" ", "empty text"),
        ({"text": "", "language": "fr"}, "empty text"),
        ({"text": "Freiheit", "language": "de"}, "in another language"),
        ({"text": "Freiheit"}, "in another language"),
    ],
)
def test_a_value_without_text_says_why(value: Any, reason: str) -> None:
    with pytest.raises(UnwrittenError, match=f"^{reason}$"):
        read_value(value, LANGUAGES)


def test_a_value_remembers_whose_label_it_needs() -> None:
    assert read_value(amount_value("+828", "Q11573"), ()) == Value("828", "Q11573")
    assert read_value(item_value("Q5"), ()) == Value("", "Q5")
