"""What is kept by kind, and what a user may ask for."""

from __future__ import annotations

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import Item
from mmoe.wikidata.selection import Selection, checked_selection


def reason(selection: Selection, *kinds: str) -> str | None:
    return selection.reason_against(Item("Q1", "Ada", None, instance_of=kinds))


def test_kinds_to_keep_leave_only_these() -> None:
    selection = checked_selection(["en"], None, ["Q5", "Q515"])
    assert reason(selection, "Q6256", "Q515") is None
    assert reason(selection, "Q6256") == "not of the kinds kept"
    assert reason(selection) == "not of the kinds kept"
    assert reason(selection, "Q5", "Q4167410") == "disambiguation page"


def test_a_page_that_is_to_be_kept_is_not_dropped() -> None:
    selection = checked_selection(["en"], None, ["Q4167410"])
    assert reason(selection, "Q4167410") is None
    assert reason(selection, "Q4167836") == "category"


@pytest.mark.parametrize(
    ("languages", "drop", "keep", "complaint"),
    [
        ([], None, [], "--languages: names none"),
        (["en"], ["human"], [], "--drop-kinds: 'human' is no item"),
        (["en"], None, ["P31"], "--keep-kinds: 'P31' is no item"),
        (["en"], ["Q5", "Q1"], ["Q5"], "Q5 stands under --drop-kinds and --keep-kinds"),
    ],
)
def test_what_makes_no_sense_is_named(
    languages: list[str], drop: list[str] | None, keep: list[str], complaint: str
) -> None:
    with pytest.raises(WikidataError, match=complaint):
        checked_selection(languages, drop, keep)
