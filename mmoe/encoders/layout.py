"""How a name, a body and a description share the encoder's limited text length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextLayout:
    """Lays out `prefix name separator body description suffix` in at most `max_length` tokens.

    The body gives way first: `description_budget` tokens are kept for a description that needs them,
    more where the body leaves room. The name never takes more than half of the length.

    Source: MMoE eq. 2; the description's budget is ours: without one, long contexts would cut the
        description off.
    """

    max_length: int
    description_budget: int
    prefix: tuple[int, ...]
    separator: tuple[int, ...]
    suffix: tuple[int, ...]

    def name_alone(self, name: Sequence[int]) -> list[int]:
        """`prefix name suffix`."""
        return [*self.prefix, *self._cut_name(name), *self.suffix]

    def whole(
        self,
        name: Sequence[int],
        body: Sequence[int],
        description: Sequence[int] = (),
        focus: int | None = None,
    ) -> list[int]:
        """The token ids of one text.

        Args:
            focus: index of the body token around which the body is shortened; None keeps its head.
        """
        head = self._cut_name(name)
        fixed = len(self.prefix) + len(head) + len(self.separator) + len(self.suffix)
        room = max(0, self.max_length - fixed)
        kept = min(len(description), self.description_budget, room)
        window = _window(len(body), room - kept, focus)
        rest = room - len(window)
        inner = [body[i] for i in window]
        return [
            *self.prefix,
            *head,
            *self.separator,
            *inner,
            *description[:rest],
            *self.suffix,
        ]

    def _cut_name(self, name: Sequence[int]) -> Sequence[int]:
        return name[: self.max_length // 2]


def _window(length: int, room: int, focus: int | None) -> range:
    """The `room` positions around `focus`, shifted to stay inside [0, length)."""
    if length <= room or focus is None:
        return range(min(length, room))
    start = min(max(0, focus - room // 2), length - room)
    return range(start, start + room)


def find_focus(name: str, body: str, spans: Sequence[tuple[int, int]]) -> int | None:
    """The body token at the middle of the first place where `name` stands, ignoring case.

    Args:
        spans: (start, end) character of every body token.
    Returns:
        A token index, or None where the name does not occur to the letter.
    """
    # Not by lower(): it lengthens some letters, and then the spans no longer fit.
    found = re.search(re.escape(name), body, re.IGNORECASE) if name else None
    if found is None:
        return None
    middle = found.start() + len(name) // 2
    return next((i for i, (_, end) in enumerate(spans) if end > middle), None)
