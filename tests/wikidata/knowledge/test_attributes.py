"""Attributes as one line; what lacks a label is left out and counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mmoe.wikidata.entity import read_item
from mmoe.wikidata.knowledge.drafts import (
    NO_PROPERTY_LABEL,
    NO_VALUE_LABEL,
    Draft,
    attributes_of,
    draft_of,
)
from mmoe.wikidata.knowledge.request import Choice, KbRequest
from mmoe.wikidata.knowledge.values import Value

from tests.wikidata.knowledge.statements import entity, item_value, statement, unknown

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
        ({"P106": [PAINTER, statement(WRITER, "preferred")]}, "Occupation: writer."),
        ({"P106": [PAINTER, statement(WRITER, "deprecated")]}, "Occupation: painter."),
        ({"P106": [unknown(), PAINTER]}, "Occupation: painter."),
        ({"P106": [unknown()]}, ""),
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
