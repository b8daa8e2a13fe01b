"""Names found by their rarest token are those that comparing each with each finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.names import name_tokens, normalise_name
from mmoe.wikidata.entity import Item, Name
from mmoe.wikidata.hits import Matching
from mmoe.wikidata.knowledge.choice import Choice
from mmoe.wikidata.labels import write_label_index
from mmoe.wikidata.query import find_in_index
from mmoe.wikidata.tokens import NamesByToken, names_by_token

from tests.wikidata.slices import mention

WORDS = st.sampled_from(["ada", "o'neil", "jean-luc", "of", "the", "the the", "?!", "école", "7"])
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)


def lies_in(asked: str, name: str) -> bool:
    """The obvious way."""
    tokens = name_tokens(asked)
    return bool(tokens) and all(token in name_tokens(name) for token in tokens)


@given(asked=st.frozensets(NAMES, max_size=8), name=NAMES)
def test_the_names_within_a_name(asked: frozenset[str], name: str) -> None:
    found = list(NamesByToken(asked).within(name))
    assert sorted(found) == sorted(each for each in asked if lies_in(each, name))


def test_copies_of_a_choice_share_what_was_prepared() -> None:
    one, other = frozenset({"ada", "ben"}), frozenset({"ben", "ada"})
    assert names_by_token(one) is names_by_token(other)


def named(*names: str, kinds: tuple[str, ...] = ("Q5",)) -> Item:
    return Item("Q1", names[0], None, tuple(Name(name, "label", "en") for name in names), kinds)


@pytest.mark.parametrize(
    ("asked", "found", "reason"),
    [
        ("testwell", named("Ada Testwell"), None),
        ("ada  testwell", named("Testwell, Ada M."), None),
        ("ada testwell", named("Ada", "Testwell"), "not asked for"),
        ("ada ben", named("Ada Testwell"), "not asked for"),
        ("test", named("Ada Testwell"), "not asked for"),
        ("?!", named("?!"), None),
        ("?!", named("What?!"), "not asked for"),
        ("testwell", named("Testwell", kinds=("Q4167410",)), "disambiguation page"),
    ],
)
def test_an_item_is_taken_if_one_of_its_names_holds_all_tokens(
    asked: str, found: Item, reason: str | None
) -> None:
    names = frozenset({normalise_name(asked)})
    assert Choice(names=names, match="tokens").reason_against(found) == reason


def test_the_choice_is_that_of_retrieval(tmp_path_factory: pytest.TempPathFactory) -> None:
    """By tokens and by whole names, of the same items."""
    items = [
        Item(f"Q{number}", name, None, (Name(name, "label", "en"),), ("Q5",))
        for number, name in enumerate(["Ada Testwell", "Testwell", "Ben O'Neil", "Ada", "?!"], 1)
    ]
    folder = tmp_path_factory.mktemp("index")
    write_label_index(folder, items, {})
    for match in ("exact", "tokens"):
        for word in ("Ada", "testwell", "O'Neil Ben", "Ada Ben", "?!"):
            choice = Choice(names=frozenset({normalise_name(word)}), match=match)
            chosen = {item.qid for item in items if choice.reason_against(item) is None}
            found = find_in_index(folder, [mention(word)], Matching(match))
            assert chosen == {candidate.qid for candidate in found}
