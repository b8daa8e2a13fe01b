"""When two surface forms count as one name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.names import name_tokens, normalise_name

PLAIN = st.text(max_size=20).filter(lambda name: "%" not in name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "ada  lovelace"),
        ("Ada_Lovelace", "Ada Lovelace"),
        (" Ada\tLovelace\n", "Ada Lovelace"),
        ("Ada%20Lovelace", "Ada Lovelace"),
        ("Z%C3%BCrich", "Zürich"),
        ("Zu\u0308rich", "Zürich"),
        ("STRASSE", "Straße"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
        ("Ada\u00a0Lovelace", "Ada Lovelace"),
        ("__Ada__", "Ada"),
    ],
)
def test_these_are_one_name(one: str, other: str) -> None:
    assert normalise_name(one) == normalise_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Zurich", "Zürich"), ("AdaLovelace", "Ada Lovelace"), ("C", "C++"), ("Pope", "Pope II")],
)
def test_these_are_two(one: str, other: str) -> None:
    assert normalise_name(one) != normalise_name(other)


@settings(deadline=None, max_examples=200)
@given(name=PLAIN)
def test_normalising_twice_changes_nothing(name: str) -> None:
    once = normalise_name(name)
    assert normalise_name(once) == once


def test_an_empty_name_stays_empty() -> None:
    assert normalise_name(" _ ") == ""
    assert name_tokens(" _ ") == []


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("Jean-Luc O'Neil", ["jean", "luc", "o", "neil"]),
        ("Mercury_(planet)", ["mercury", "planet"]),
        ("R2-D2", ["r2", "d2"]),
        ("Zürich", ["zürich"]),
        ("東京", ["東京"]),
        ("?!", []),
    ],
)
def test_the_words_of_a_name(name: str, tokens: list[str]) -> None:
    assert name_tokens(name) == tokens


@settings(deadline=None, max_examples=50)
@given(name=PLAIN)
def test_words_are_the_names_own_letters_in_order(name: str) -> None:
    rest = normalise_name(name)
    for token in name_tokens(name):
        assert token
        _, found, rest = rest.partition(token)
        assert found == token
