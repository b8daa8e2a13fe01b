"""What `list=search` is asked: for names that hold a form as it stands, or for names that hold its tokens.

The server cuts names into terms by its own rules and then looks for the terms of a question, those between
quotes in a row. What differs from our tokens decides what must be asked:

- It finds nothing at all for text without a term, so only parts with a letter or a digit are asked for.
- A token that it cuts further (東京) is found all the same: its terms stand in a row in the name too.
- It may make one term of tokens with a sign between them that is no hyphen ("o'neil"), and keeps ' and ’
  apart. Which of a name's terms are of this kind is not known, so each sign of a form is asked for in each
  way: its tokens apart, or as one term with either apostrophe.
- It keeps the marks of a letter (नी), which our tokens leave out: a part is asked for without and with them.

Leaving out a part only makes the list longer. So a question always fits into what the server takes, and
parts with signs that would make it too many questions are not asked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set

from mmoe.names import normalise_name

LONGEST_QUERY = 300  # characters
MOST_QUERIES = 9  # for one form: enough for two apostrophes or three full stops

_SYNTAX = re.compile(r'["\\@]')
_TOKEN = re.compile(r"\w+")
# Both are looked for where every mark stands as a letter.
_PART = re.compile(r'\w(?:[^\s"\\@-]*\w)?')
_SIGNS = re.compile(r"[^\w]+")
_APOSTROPHE = re.compile("['’]")


def phrase_query(form: str) -> str | None:
    """The question for names that hold a normalised surface form as it stands; None if it can't be put."""
    term = _term(form)
    return term if _has_letter_or_digit(form) and len(term) <= LONGEST_QUERY else None


def token_queries(form: str) -> tuple[str, ...]:
    """The questions for items of which a name holds all tokens of a normalised surface form.

    Such a name is one whose terms are the parts of the form, cut at its blanks and hyphens and at any of its
    signs, in any order and among others; marks count all or, where no sign is left, not at all. The terms of
    a question may stand in different names of an item: the answer holds more than is wanted.

    Returns:
        Questions whose lists together hold all such items; nothing if one of them can't be put.
    """
    ways: list[tuple[str, ...]] = [()]
    left_out: set[str] = set()
    # The longest parts, which the fewest names hold, are the last to be left out.
    for part in sorted(_parts(normalise_name(form)), key=lambda part: (-len(part), part)):
        readings = _readings(part)
        if len(ways) * len(readings) <= MOST_QUERIES:
            ways = [(*terms, *more) for terms in ways for more in readings]
        else:
            left_out.update(_TOKEN.findall(part))
    queries = dict.fromkeys(_query_for_all(terms, left_out) for terms in ways)
    return tuple(queries) if "" not in queries else ()


def _parts(form: str) -> set[str]:
    """What stands between blanks, hyphens and what a question reads as syntax, without signs at its ends."""
    return {form[slice(*found.span())] for found in _PART.finditer(_marks_as_letters(form))}


def _readings(part: str) -> list[tuple[str, ...]]:
    """The terms that the server may see in a part: its tokens, then apart or as one at each of its signs."""
    texts, start = [""], 0
    for found in _SIGNS.finditer(_marks_as_letters(part)):
        signs = part[slice(*found.span())]
        between = dict.fromkeys((" ", *(_APOSTROPHE.sub(sign, signs) for sign in "'’")))
        texts = [text + part[start : found.start()] + sign for text in texts for sign in between]
        start = found.end()
        if len(texts) > MOST_QUERIES:
            break  # too many already
    terms = [tuple((text + part[start:]).split()) for text in texts]
    return list(dict.fromkeys((tuple(_TOKEN.findall(part)), *terms)))


def _query_for_all(parts: Iterable[str], left_out: Set[str]) -> str:
    """Names that hold these parts, the longest of them if they are too many; empty if there is none.

    Args:
        left_out: tokens of other parts of the form, which the names may hold in any way.
    """
    asked = {part: frozenset(_TOKEN.findall(part)) for part in parts if _has_letter_or_digit(part)}
    # A name that holds "o'mara" holds both tokens; a term "o" of its own is not needed.
    terms = {
        _term(part)
        for part, tokens in asked.items()
        if not tokens <= left_out
        and not any(tokens <= asked[other] and len(part) < len(other) for other in asked)
    }
    query = ""
    # Sorted, so that surface forms of the same tokens are one question.
    for term in sorted(terms, key=lambda term: (-len(term), term)):
        longer = f"{query} {term}".lstrip()
        if len(longer) <= LONGEST_QUERY:
            query = longer
    return query


def _term(text: str) -> str:
    return f'inlabel:"{" ".join(_SYNTAX.sub(" ", text).split())}"'


def _has_letter_or_digit(text: str) -> bool:
    return any(character.isalpha() or character.isdecimal() for character in text)


def _marks_as_letters(text: str) -> str:
    """As long as the text, so that a place in one is a place in the other."""
    return "".join("x" if unicodedata.category(each).startswith("M") else each for each in text)
