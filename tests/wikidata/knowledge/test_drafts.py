"""Values as text, and attributes as one line; what has no text or lacks a label is counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mmoe.wikidata.entity import read_item
from mmoe.wikidata.knowledge.drafts import (
    NO_PROPERTY_LABEL,
    NO_VALUE_LABEL,
    Draft,
    UnwrittenError,
    Value,
    attributes_of,
    draft_of,
    read_value,
    written_time,
)
from mmoe.wikidata.knowledge.request import Choice, KbRequest

from tests.wikidata.knowledge.world import (
    amount_value,
    entity,
    item_value,
    statement,
    time_value,
    unknown,
)

LANGUAGES = ("en", "fr")


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
    assert read_value(value, LANGUAGES).written({"Q5": "human", "Q11573": "metre"}) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"latitude": 1.5, "longitude": 2.5, "globe": "x"}, "of a kind that has no text"),
        (7, "of a kind that has no text"),
        ({"entity-type": "item", "numeric-id": 5}, "of a kind that has no text"),
        (time_value("+0000-00-00T00:00:00Z", 9), "time that can't be read"),
        ({"time": "+1952-03-11T00:00:00Z"}, "time that can't be read"),
        ({"time": "+1952-03-11T00:00:00Z", "precision": "11"}, "time that can't be read"),
        ({"time": "+1952-03-11T00:00:00Z", "precision": 15}, "time that can't be read"),
        ({"time": "1952-03-11", "precision": 11}, "time that can't be read"),
        ({"time": None, "precision": 9}, "time that can't be read"),
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


@pytest.mark.parametrize(
    ("time", "precision", "expected"),
    [
        ("+1952-03-11T00:00:00Z", 11, "1952-03-11"),
        ("+1952-03-00T00:00:00Z", 10, "1952-03"),
        ("+1952-03-11T00:00:00Z", 10, "1952-03"),
        ("+1952-00-00T00:00:00Z", 9, "1952"),
        ("+1952-00-00T00:00:00Z", 11, "1952"),
        ("+1952-03-00T00:00:00Z", 11, "1952-03"),
        ("+1952-00-00T00:00:00Z", 8, "1950s"),
        ("+2000-00-00T00:00:00Z", 7, "20th century"),
        ("+1100-00-00T00:00:00Z", 7, "11th century"),
        ("+0150-00-00T00:00:00Z", 7, "2nd century"),
        ("+2200-00-00T00:00:00Z", 7, "22nd century"),
        ("+3000-00-00T00:00:00Z", 6, "3rd millennium"),
        ("-0044-03-15T00:00:00Z", 11, "44-03-15 BCE"),
        ("-0450-00-00T00:00:00Z", 7, "5th century BCE"),
        ("-3000000-00-00T00:00:00Z", 3, "about 3000000 BCE"),
        ("+12025-06-01T00:00:00Z", 11, "12025-06-01"),
    ],
)
def test_times_of_every_precision(time: str, precision: int, expected: str) -> None:
    assert written_time(time_value(time, precision)) == expected


LABELS = {"P106": "occupation", "P1": "part of", "Q1": "painter", "Q2": "writer", "Q3": "Inc."}
PAINTER, WRITER, COMPANY, NAMELESS = (item_value(f"Q{number}") for number in (1, 2, 3, 4))


def draft(
    claims: dict[str, list[Any]], max_values: int = 3, unwritten: Counter[str] | None = None
) -> Draft:
    content = entity("Q7", "Ada Testwell", claims=claims)
    item = read_item(content, ["en"], "here")
    assert item is not None
    counts = Counter[str]() if unwritten is None else unwritten
    request = KbRequest(Choice(), properties=("P106", "P1"), max_values=max_values)
    return draft_of(content, item, request, counts)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, ""),
        ({"P106": [PAINTER, WRITER]}, "Occupation: painter, writer."),
        ({"P1": ["x"], "P106": [WRITER]}, "Occupation: writer. Part of: x."),
        ({"P1": [COMPANY]}, "Part of: Inc."),
        ({"P106": [PAINTER, PAINTER]}, "Occupation: painter."),
        ({"P106": [unknown(), statement(WRITER, "deprecated")]}, ""),
        ({"P106": ["a", "b", "c", "d"]}, "Occupation: a, b, c."),
        ({"P9": ["not asked for"]}, ""),
    ],
)
def test_one_line_of_the_chosen_properties(claims: dict[str, list[Any]], expected: str) -> None:
    left_out = Counter[str]()
    assert attributes_of(draft(claims), LABELS, left_out) == expected
    assert left_out.total() == 0


def test_values_and_properties_without_label_are_counted() -> None:
    found = draft({"P106": [NAMELESS, PAINTER], "P1": [NAMELESS]})
    left_out = Counter[str]()
    assert attributes_of(found, LABELS, left_out) == "Occupation: painter."
    assert left_out == {NO_VALUE_LABEL: 2}
    left_out.clear()
    assert attributes_of(found, {"Q1": "painter", "P1": "part of"}, left_out) == ""
    assert left_out == {NO_VALUE_LABEL: 1, NO_PROPERTY_LABEL: 2}


def test_texts_in_other_languages_are_counted_and_take_no_place() -> None:
    unwritten = Counter[str]()
    texts = [{"text": code, "language": code} for code in ("fr", "de", "en", "mul", "en-gb")]
    found = draft({"P1": texts}, max_values=2, unwritten=unwritten)
    assert found.facts == {"P1": (Value("en"), Value("mul"))}
    assert unwritten == {"in another language": 3}
