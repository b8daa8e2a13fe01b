"""What an item says: the best-ranked statements, names in several languages, odd shapes named."""

from __future__ import annotations

from typing import Any

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import Item, Name, best_values, is_qid, label_of, read_item

from tests.wikidata.knowledge.world import statement, unknown


def entity(**parts: Any) -> dict[str, Any]:
    return {"type": "item", "id": "Q7"} | parts


def read(**parts: Any) -> Item:
    found = read_item(entity(**parts), ["en", "de"], "here")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], []),
        ([statement("a"), statement("b")], ["a", "b"]),
        ([statement("a"), statement("b", "preferred"), statement("c", "preferred")], ["b", "c"]),
        ([statement("a", "deprecated"), statement("b")], ["b"]),
        ([statement("a", "deprecated")], []),
        ([unknown(), statement("a")], ["a"]),
        (
            [unknown("preferred"), statement("a")],
            [],
        ),  # the best that is known is that it isn't known
        ([{"mainsnak": {"datavalue": {"value": "a"}}}], ["a"]),  # rank and snaktype left out
    ],
)
def test_only_the_best_ranked_values_count(statements: list[Any], expected: list[str]) -> None:
    assert best_values(entity(claims={"P1": statements}), "P1", "here") == expected


def test_claims_may_be_an_empty_list_or_missing() -> None:
    assert best_values(entity(claims=[]), "P1", "here") == []
    assert best_values(entity(), "P1", "here") == []


def test_kind_image_and_date_are_read() -> None:
    claims = {
        "P31": [statement({"entity-type": "item", "id": "Q5"}), statement({"id": "Q5"})],
        "P18": [statement("Ada 1.jpg"), statement("Ada 2.jpg", "preferred")],
    }
    item = read(claims=claims, modified="2026-01-02T03:04:05Z")
    assert item == Item(
        "Q7", None, None, (), ("Q5",), "Ada 2.jpg", None, modified="2026-01-02T03:04:05Z"
    )


def test_languages_come_in_their_order_and_mul_last() -> None:
    labels = {code: {"value": f"label {code}"} for code in ("mul", "fr", "de", "en")}
    aliases = {"de": [{"value": "x"}], "fr": [{"value": "y"}]}
    item = read(labels=labels, aliases=aliases, descriptions={"de": {"value": "Malerin"}})
    assert (item.label, item.description) == ("label en", "Malerin")
    assert item.names == (
        Name("label en", "label", "en"),
        Name("label de", "label", "de"),
        Name("label mul", "label", "mul"),
        Name("x", "alias", "de"),
    )


@pytest.mark.parametrize(
    ("claims", "complaint"),
    [
        ({"P31": {}}, "P31 must be a list of statements"),
        ({"P31": ["Q5"]}, "a statement of P31 has no `mainsnak`"),
        ({"P31": [{"mainsnak": {"snaktype": "value"}}]}, "a value of P31 has no `datavalue`"),
        ({"P31": [statement({"numeric-id": 5})]}, "a value of P31 has no `id`"),
        ({"P31": [statement("Q5")]}, "a value of P31 has no `id`"),
    ],
)
def test_claims_of_another_shape_are_named(claims: Any, complaint: str) -> None:
    with pytest.raises(WikidataError, match=f"here, item Q7, key `claims`: {complaint}"):
        read(claims=claims)


def test_what_counts_as_a_qid() -> None:
    assert is_qid("Q42")
    assert not any(map(is_qid, ("Q0", "Q01", "42", "q42", "Q42 ", "P31", None, 42, "Q")))


def test_labels_in_the_first_language_that_has_one() -> None:
    labels = {code: {"value": f"label {code}"} for code in ("de", "mul", "fr")}
    assert label_of({"labels": labels}, ["en", "fr", "de"]) == "label fr"
    assert label_of({"labels": labels}, ["en"]) == "label mul"
    assert label_of({"labels": {"de": {"value": "x"}}}, ["en"]) is None
    assert label_of({"labels": {"en": {"value": " "}, "mul": {"value": "x  y"}}}, ["en"]) == "x y"
    odd: list[object] = [[], None, {"en": "x"}]
    assert [label_of({"labels": labels}, ["en"]) for labels in odd] == [None] * 3
