"""What the search is asked about a word: never more than it takes, and never less than our tokens need."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmoe.names import name_tokens, normalise_name
from mmoe.wikidata.api.phrases import LONGEST_QUERY, MOST_QUERIES, phrase_query, token_queries

from tests.wikidata.api.fake.store import tokens


def parts(query: str) -> list[str]:
    found = re.findall(r'inlabel:"([^"]+)"', query)
    assert query == " ".join(f'inlabel:"{part}"' for part in found)
    return found


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("paris", [["paris"]]),
        ("ada lurien", [["lurien", "ada"]]),
        ("lurien, ada", [["lurien", "ada"]]),
        ("ada ada", [["ada"]]),
        ("jean-luc (singer)", [["singer", "jean", "luc"]]),
        ("vessa o'mara", [["vessa", "mara", "o"], ["o'mara", "vessa"], ["o’mara", "vessa"]]),
        ("j.r. ob", [["ob", "j", "r"], ["j.r", "ob"]]),
        ("j.r.r. ob", [["ob", "j", "r"], ["r.r", "ob", "j"], ["j.r", "ob"], ["j.r.r", "ob"]]),
        ("o'ob ob", [["ob", "o"], ["o'ob"], ["o’ob"]]),
        ("o'x'y'z ob", [["ob"]]),
        ("user@place", [["place", "user"]]),
        ('the "fox" \\', [["fox", "the"]]),
        ("नी", [["न"], ["नी"]]),
        ("ob & co", [["co", "ob"]]),
        ("x ² ob", [["ob", "x"]]),
        ("?!", []),
        ("²", []),
    ],
)
def test_a_word_and_its_questions(word: str, expected: list[list[str]]) -> None:
    assert [parts(query) for query in token_queries(word)] == expected


def test_a_token_that_is_too_long_is_left_out_and_alone_can_not_be_asked_for() -> None:
    assert token_queries(f"{'x' * 300} ob") == ('inlabel:"ob"',)
    assert token_queries("x" * 300) == ()
    # Token by token it could be; as it stands, which the server may need, it can't.
    assert token_queries("x" + "'x" * 150) == ()
    assert phrase_query("x" * 300) is None


WORDS = st.text("aAbé' -_.\"ßI@\\,’नी²!", max_size=40).map(normalise_name)


@example(word="a'a'ी")
@given(word=WORDS)
def test_a_question_can_be_put_and_asks_for_no_more_than_the_word_has(word: str) -> None:
    """Whatever the server makes of a name, what a part makes must be in what the word makes."""
    queries = token_queries(word)
    has_letter = any(character.isalpha() or character.isdecimal() for character in word)
    # A mark stands as a letter, and a part with marks is asked for in one more way.
    letters = "".join("x" if unicodedata.category(each)[0] == "M" else each for each in word)
    signs = len(re.findall(r"\w(?=[^\w\s-]+\w)", letters))
    few_signs = signs <= (2 if letters == word else 1)
    assert bool(queries) == has_letter or not few_signs, "short words can be asked for"
    assert len(queries) <= MOST_QUERIES
    for query in queries:
        assert len(query) <= LONGEST_QUERY
        assert all(tokens(part) for part in parts(query))
    if queries:
        assert set(parts(queries[0])) <= set(name_tokens(word))
