"""The rule of names, one item at a time, is that of the query over an index."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mmoe.names import name_tokens
from mmoe.wikidata.matching import NameMatcher

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
