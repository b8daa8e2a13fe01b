"""Which items are taken: listed ids and names add up, kinds narrow."""

from __future__ import annotations

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import Item, Name
from mmoe.wikidata.knowledge.request import Choice


def item(qid: str = "Q1", label: str | None = "Ada", kinds: tuple[str, ...] = ("Q5",)) -> Item:
    names = [Name("The Countess", "alias", "en")]
    if label is not None:
        names.insert(0, Name(label, "label", "en"))
    return Item(qid, label, None, tuple(names), kinds)


def choice(names: str | None = None, qids: str | None = None, kinds: str | None = None) -> Choice:
    listed, ids, of_kinds = (
        None if text is None else frozenset(text.split(",")) for text in (names, qids, kinds)
    )
    return Choice(listed, ids, of_kinds)


@pytest.mark.parametrize(
    ("asked", "found", "reason"),
    [
        (choice(names="ada"), item(), None),
        (choice(names="the countess"), item(), None),
        (choice(names="ben"), item(), "not asked for"),
        (choice(qids="Q1"), item(), None),
        (choice(qids="Q2"), item(), "not asked for"),
        (choice(names="ben", qids="Q1"), item(), None),
        (choice(names="ada", qids="Q2"), item(), None),
        (choice(kinds="Q5"), item(), None),
        (choice(kinds="Q5"), item(kinds=("Q6", "Q5")), None),
        (choice(kinds="Q5"), item(kinds=()), "of another kind"),
        (choice(names="ada", kinds="Q6"), item(), "of another kind"),
        (choice(qids="Q1", kinds="Q6"), item(), "of another kind"),
        (choice(names="ben", kinds="Q5"), item(), "not asked for"),
        (choice(names="ada"), item(kinds=("Q4167410",)), "disambiguation page"),
        (choice(qids="Q1"), item(kinds=("Q4167410",)), None),
        (choice(kinds="Q4167410"), item(kinds=("Q4167410",)), None),
        (choice(kinds="Q5"), item(kinds=("Q5", "Q4167410")), "disambiguation page"),
        (choice(names="ada", kinds="Q5"), item(kinds=("Q4167410",)), "disambiguation page"),
        (choice(kinds="Q5,Q4167410"), item(kinds=("Q5", "Q4167410")), None),
        (choice(kinds="Q4167410"), item(kinds=("Q4167410", "Q4167836")), "category"),
        (choice(qids="Q1", kinds="Q5"), item(kinds=("Q5", "Q4167410")), None),
        (choice(names="the countess"), item(label=None), "without a label in the languages"),
        (choice(qids="Q1"), item(label=" "), "without a label in the languages"),
    ],
)
def test_why_an_item_is_left_out(asked: Choice, found: Item, reason: str | None) -> None:
    assert asked.reason_against(found) == reason


ADA, KINDS = frozenset({"ada"}), frozenset({"Q5", "Q4167410"})


@pytest.mark.parametrize(
    ("asked", "from_api", "complaint"),
    [
        (Choice(), False, "no item is asked for; add --names, --qids or --kinds"),
        (Choice(kinds=KINDS, match="tokens"), False, "--match tokens: .*; add --names"),
        (Choice(names=ADA, with_subclasses=True), False, "--with-subclasses: .*; add --kinds"),
        (Choice(kinds=KINDS), True, "does not list all items of a kind; add --names or --qids"),
        (Choice(qids=ADA, kinds=KINDS, with_subclasses=True), True, "does not list subclasses"),
        (Choice(names=ADA, kinds=KINDS), True, "--kinds Q4167410: by name the API gives no pages"),
    ],
)
def test_options_in_vain_are_named(asked: Choice, from_api: bool, complaint: str) -> None:
    with pytest.raises(WikidataError, match=complaint):
        asked.check(from_api)


def test_a_page_is_left_out_though_its_kind_is_below_one_that_is_asked_for() -> None:
    asked = Choice(
        kinds=frozenset({"Q9"}),
        with_subclasses=True,
        closed_kinds=frozenset({"Q9", "Q5", "Q4167410"}),
    )
    assert asked.reason_against(item()) is None
    assert asked.reason_against(item(kinds=("Q4167410",))) == "disambiguation page"
    assert asked.reason_against(item(kinds=("Q6",))) == "of another kind"
