"""The rule of names, one item at a time, is that of the query over an index."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.names import name_tokens, normalise_name
from mmoe.wikidata.entity import Item, Name
from mmoe.wikidata.label_index import write_label_index
from mmoe.wikidata.matching import Match, Matching, NameMatcher
from mmoe.wikidata.query import find_in_index

from tests.wikidata.slices import mention

NAMES = st.lists(
    st.sampled_from(["ada", "o'neil", "jean-luc", "of", "the", "the the", "?!", "école", "7"]),
    min_size=1,
    max_size=4,
).map(" ".join)


def is_borne(wanted: str, name: str) -> bool:
    """The obvious way."""
    tokens = name_tokens(wanted)
    return wanted == name or (bool(tokens) and all(t in name_tokens(name) for t in tokens))


@given(wanted=st.frozensets(NAMES, max_size=8), own=st.frozensets(NAMES, max_size=3))
def test_by_tokens_as_comparing_each_with_each(wanted: frozenset[str], own: frozenset[str]) -> None:
    found = NameMatcher(wanted, "tokens").borne_by(own)
    assert found == {each for each in wanted if any(is_borne(each, name) for name in own)}
    assert NameMatcher(wanted, "exact").borne_by(own) == wanted & own


@pytest.mark.parametrize("match", ["exact", "tokens"])
def test_an_item_is_borne_where_the_query_finds_it(tmp_path: Path, match: Match) -> None:
    names = ["Ada Testwell", "Testwell", "Ben O'Neil", "Ada", "?!"]
    items = [
        Item(f"Q{number}", name, None, (Name(name, "label", "en"),))
        for number, name in enumerate(names, start=1)
    ]
    write_label_index(tmp_path, items, {})
    for form in ("Ada Testwell", "testwell", "O'Neil Ben", "Ada Ben", "?!"):
        matcher = NameMatcher([normalise_name(form)], match)
        borne = {item.qid for item in items if matcher.borne_by(item.normalised_names)}
        found = find_in_index(tmp_path, [mention(form)], Matching(match))
        assert borne == {candidate.qid for candidate in found}
