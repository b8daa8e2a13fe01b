"""How a name, a body and a description share the encoder's limited text length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmoe.errors import FeatureStoreError
from mmoe.surface_forms import find_surface_form

SEPARATOR_TEXT = " [SEP] "


@dataclass(frozen=True)
class SpecialTokens:
    """The ids that a tokenizer puts around a text, and those between its name and its body."""

    prefix: tuple[int, ...]
    separator: tuple[int, ...]
    suffix: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many they are."""
        return len(self.prefix) + len(self.separator) + len(self.suffix)


def special_tokens(name: str, tokenizer: Any, prompt: str = "") -> SpecialTokens:
    """The special tokens of the tokenizer of the encoder of that name; FeatureStoreError if it is empty.

    Args:
        prompt: stands before every text; its tokens are counted among the special ones.
    """
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    dressed = tokenizer("a")["input_ids"]
    if not set(bare) - {tokenizer.unk_token_id}:
        raise FeatureStoreError(
            f"encode.model = {name}: its tokenizer's files are missing: it knows no letter"
        )
    start = next(i for i in range(len(dressed)) if dressed[i : i + len(bare)] == bare)
    separator = (
        [tokenizer.sep_token_id]
        if tokenizer.sep_token_id is not None
        else tokenizer(SEPARATOR_TEXT, add_special_tokens=False)["input_ids"]
    )
    # The space behind a prompt is the next token's own.
    before = plain_tokens(tokenizer, [prompt.rstrip(" ")])["input_ids"][0] if prompt else []
    return SpecialTokens(
        (*dressed[:start], *before), tuple(separator), tuple(dressed[start + len(bare) :])
    )


def plain_tokens(tokenizer: Any, texts: Sequence[str], **options: Any) -> Any:
    """What a tokenizer makes of bare texts, without special tokens.

    A text that spells a special token stays a text: CLIP would pool at its first end token.
    """
    return tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True, **options)


@dataclass(frozen=True)
class TextLayout:
    """Lays out `prefix name separator body description suffix` in at most `max_length` tokens.

    The body is shortened first: `description_budget` tokens are kept for a description that needs them,
    more where the body leaves room. The name never takes more than half of the length.

    Source: MMoE eq. 2; the description's budget is ours: without one, long contexts would cut the
        description off.
    """

    max_length: int
    description_budget: int
    special: SpecialTokens

    def name_alone(self, name: Sequence[int]) -> list[int]:
        """`prefix name suffix`."""
        return [*self.special.prefix, *self._cut_name(name), *self.special.suffix]

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
        head = [*self.special.prefix, *self._cut_name(name), *self.special.separator]
        room = max(0, self.max_length - len(head) - len(self.special.suffix))
        kept = min(len(description), self.description_budget, room)
        window = _window(len(body), room - kept, focus)
        inner = [body[i] for i in window]
        return [*head, *inner, *description[: room - len(inner)], *self.special.suffix]

    def _cut_name(self, name: Sequence[int]) -> Sequence[int]:
        return name[: self.max_length // 2]


def _window(length: int, room: int, focus: int | None) -> range:
    """The `room` positions around `focus`, shifted to stay inside [0, length)."""
    if length <= room or focus is None:
        return range(min(length, room))
    start = min(max(0, focus - room // 2), length - room)
    return range(start, start + room)


def find_focus(name: str, body: str, spans: Sequence[tuple[int, int]]) -> int | None:
    """The body token at the middle of the place where `name` stands, or None (see `find_surface_form`).

    Args:
        spans: (start, end) character of every body token.
    """
    found = find_surface_form(body, name)
    if found is None:
        return None
    middle = (found[0] + found[1]) // 2
    return next((i for i, (_, end) in enumerate(spans) if end > middle), None)
