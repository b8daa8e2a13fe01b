"""Foreign text as it is sent: one line, without characters by which it could pose as something else."""

from __future__ import annotations

import re
import unicodedata

from mmoe.surface_forms import find_surface_form

ELLIPSIS = "…"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Control and invisible characters are dropped; halves of pairs and private characters are replaced.
_HIDDEN = {"Cc": "", "Cf": "", "Cs": REPLACEMENT, "Co": REPLACEMENT}
# They spell words in Persian and in scripts of India; all other invisible characters are dropped.
_JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
_MARKS = str.maketrans({
    "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
})  # fmt: skip
# Some tokenizers read "[INST]" as the beginning of a turn, wherever it stands.
_BRACKETED = re.compile(r"\[(/?[A-Z_]{2,})\]")


def one_line(text: str) -> str:
    """A text as data: what the prompt's marks and a server's chat template are made of can't be in it.

    White space and line breaks become single blanks; control characters and invisible ones (zero-width,
    direction marks, tags) are dropped; lone surrogates and private characters become U+FFFD; angle brackets
    become ‹ and ›, so that it holds neither our marks nor tokens such as <|im_end|>; words in capitals lose
    their square brackets for round ones. Doing it twice changes nothing.
    """
    # What can be printed holds nothing to drop; most texts can.
    seen = text if text.isprintable() else "".join(_seen(character) for character in text)
    plain = _BRACKETED.sub(r"(\1)", seen.translate(_MARKS))
    return " ".join(plain.split())


def _seen(character: str) -> str:
    if character.isspace() or character in _JOINERS:
        return character
    return _HIDDEN.get(unicodedata.category(character), character)


def cut(text: str, max_characters: int) -> str:
    """The beginning of a text, with an ellipsis where something is missing."""
    return text if len(text) <= max_characters else text[: max_characters - 1].rstrip() + ELLIPSIS


def shortened(text: str, surface_form: str, max_characters: int) -> str:
    """The part of a text around a mention, cut between words, with an ellipsis at each end that was cut.

    Where the surface form does not occur, the beginning is kept.

    Args:
        max_characters: of the result; at least one.
    """
    if len(text) <= max_characters:
        return text
    start, end = find_surface_form(text, surface_form) or (0, 0)
    if end - start + 2 > max_characters:
        return cut(text[start:], max_characters)
    # What one side doesn't need goes to the other.
    spare = max_characters - (end - start) - 2
    left = max(0, min(start - spare // 2, len(text) - max_characters + 1))
    reach = left + max_characters - (1 if left else 0)
    right = len(text) if reach >= len(text) else reach - 1
    left, right = _between_words(text, left, start, end, right)
    return (
        (ELLIPSIS if left else "")
        + text[left:right].strip()
        + (ELLIPSIS if right < len(text) else "")
    )


def _between_words(text: str, left: int, start: int, end: int, right: int) -> tuple[int, int]:
    """Moves both cuts inwards to the next blank, but never into the mention."""
    if left and not text[left - 1].isspace():
        blank = text.find(" ", left, start)
        left = start if blank < 0 else blank + 1
    if right < len(text) and not text[right].isspace():
        blank = text.rfind(" ", end, right)
        # Text without blanks may be Chinese or noise: cut anywhere rather than lose all of it.
        right = right if blank < 0 else blank
    return left, right
