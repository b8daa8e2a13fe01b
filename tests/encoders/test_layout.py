"""Name, body and description share the length as promised; uncut lengths are those without a limit."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.encoders.layout import SpecialTokens, TextLayout, find_focus

NAME, BODY, DESCRIPTION = range(1000, 1100), range(2000, 2100), range(3000, 3100)


@dataclass(frozen=True)
class Case:
    """A layout and the token ids of one text; every token tells where it comes from."""

    layout: TextLayout
    name: list[int]
    body: list[int]
    description: list[int]
    focus: int | None

    @property
    def whole(self) -> list[int]:
        return self.layout.whole(self.name, self.body, self.description, self.focus)

    @property
    def head(self) -> list[int]:
        """Prefix, cut name and separator."""
        layout = self.layout
        special = layout.special
        return [*special.prefix, *self.name[: layout.max_length // 2], *special.separator]

    @property
    def room(self) -> int:
        """What is left for body and description."""
        return self.layout.max_length - len(self.head) - len(self.layout.special.suffix)

    def part(self, tokens: range) -> list[int]:
        return [token for token in self.whole if token in tokens]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    max_length = draw(st.integers(8, 40))
    prefix, separator, suffix = (draw(st.integers(0, 2)) for _ in range(3))
    separator = min(separator, (max_length + 1) // 2 - prefix - suffix)
    layout = TextLayout(
        max_length,
        draw(st.integers(0, max_length // 2)),
        SpecialTokens(
            tuple(range(1, 1 + prefix)),
            tuple(range(11, 11 + separator)),
            tuple(range(21, 21 + suffix)),
        ),
    )
    name, body, description = (draw(st.integers(0, 50)) for _ in range(3))
    focus = draw(st.none() | st.integers(0, body - 1)) if body else None
    return Case(
        layout, list(NAME[:name]), list(BODY[:body]), list(DESCRIPTION[:description]), focus
    )


@settings(max_examples=300)
@given(cases())
def test_every_part_has_its_share(case: Case) -> None:
    layout, body, description = case.layout, case.part(BODY), case.part(DESCRIPTION)
    owed = min(len(case.description), layout.description_budget)

    assert len(case.whole) <= layout.max_length
    assert case.whole == [*case.head, *body, *description, *layout.special.suffix]
    assert len(body) + len(description) == min(case.room, len(case.body) + len(case.description))
    name, special = case.part(NAME), layout.special
    assert layout.name_alone(case.name) == [*special.prefix, *name, *special.suffix]
    # The description keeps its budget, and the body is cut for no more than that.
    assert description == case.description[: len(description)]
    assert len(description) >= min(owed, case.room)
    assert len(body) >= min(len(case.body), case.room - owed)
    # The body is one piece, and holds the focus.
    if body:
        start = case.body.index(body[0])
        assert body == case.body[start : start + len(body)]
        assert case.body[case.focus] in body if case.focus is not None else start == 0


def test_a_body_is_shortened_evenly_around_its_focus() -> None:
    layout = TextLayout(10, 0, SpecialTokens((1,), (), (2,)))
    assert layout.whole([], list(BODY[:50]), [], 20) == [1, *BODY[16:24], 2]
    assert layout.whole([], list(BODY[:50]), [], 1) == [1, *BODY[:8], 2]
    assert layout.whole([], list(BODY[:50]), [], 49) == [1, *BODY[42:50], 2]


def spans_of(body: str) -> list[tuple[int, int]]:
    """Every character is a token."""
    return [(i, i + 1) for i in range(len(body))]


@pytest.mark.parametrize(
    ("name", "body", "focus"),
    [
        ("Java", "Javanese of Java", 14),
        ("café", "in the CAFÉ", 9),
        ("car", "İİİ car", 5),  # lower case makes four more letters of the first three
        ("c++ (2.0)", "c++ [2.0] c++ (2.0)", 14),
        ("car", "", None),
        ("lion", "the jaguar", None),
        ("", "the jaguar", None),
    ],
)
def test_the_focus_is_the_middle_of_the_surface_forms_place(
    name: str, body: str, focus: int | None
) -> None:
    assert find_focus(name, body, spans_of(body)) == focus


def test_the_focus_may_lie_between_two_tokens_or_after_the_last() -> None:
    assert find_focus("a b", "a b", [(0, 1), (2, 3)]) == 1
    assert find_focus("jaguar", "the jaguar", [(0, 3)]) is None
    assert find_focus("jaguar", "the jaguar", []) is None
