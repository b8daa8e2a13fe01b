"""The longer name around a mention, where its context has one, and a context without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.longer_names import STAND_IN, hide_name, longer_name


@pytest.mark.parametrize(
    ("text", "surface_form", "longer"),
    [
        ("the house of Ludwig van Beethoven", "Beethoven", "Ludwig van Beethoven"),
        ("in 1950 Clinton P. Anderson spoke", "Clinton", "Clinton P. Anderson"),
        ("Then Johann died. Bach lived on", "Bach", "Bach"),  # a sentence ends
        ("In Berlin, Otto Braun resigned", "Braun", "Otto Braun"),  # a comma too
        ("the dog of Anna Smith's son", "Smith", "Anna Smith"),
        ("a man of the sea", "man", "man"),  # particles alone make no name
        ("nobody is here", "Braun", "Braun"),
        ("", "Braun", "Braun"),
        ("?!", "?!", "?!"),
    ],
)
def test_it_goes_on_over_capitals_and_particles(text: str, surface_form: str, longer: str) -> None:
    assert longer_name(text, surface_form) == longer


@given(st.text(), st.text(max_size=5), st.text())
def test_it_holds_the_surface_form_or_is_it(before: str, surface_form: str, after: str) -> None:
    text = f"{before}{surface_form}{after}"
    found = longer_name(text, surface_form)
    assert found == surface_form or (len(found) > len(surface_form) and found in text)


@pytest.mark.parametrize(
    ("text", "surface_form", "hidden"),
    [
        ("the house of Ludwig van Beethoven", "Beethoven", "the house of someone"),
        ("in 1950 Clinton P. Anderson's party spoke", "Clinton", "in 1950 someone's party spoke"),
        ("Java is hot; Java is wet", "Java", "someone is hot; Java is wet"),
        ("nobody is here", "Braun", "nobody is here"),
        ("", "Braun", ""),
        # The longer name stands elsewhere too.
        (
            "King of Saxony or the King of Saxony, once",
            "Saxony,",
            "King of Saxony or the someone, once",
        ),
    ],
)
def test_a_context_hides_the_name_where_the_mention_stands(
    text: str, surface_form: str, hidden: str
) -> None:
    assert hide_name(text, surface_form) == hidden


@given(st.text(), st.text(min_size=1, max_size=5), st.text())
def test_what_is_hidden_is_the_name_alone(before: str, surface_form: str, after: str) -> None:
    text = f"{before}{surface_form}{after}"
    left, found, right = hide_name(text, surface_form).partition(STAND_IN)
    assert found
    assert text.startswith(left)
    assert text.endswith(right)
