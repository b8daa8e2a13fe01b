"""What `list=search` is asked: for names that hold a word as it stands, or for names that hold its tokens.

The server cuts names into terms by its own rules and then looks for the terms of a question, those between
quotes in a row. What differs from our tokens decides what must be asked:

- It finds nothing at all for text without a term, so only parts with a letter or a digit are asked for.
- A token that it cuts further (東京) is found all the same: its terms stand in a row in the name too.
- It may make one term of tokens with a sign between them that is no hyphen ("o'neil"), and of a letter and
  its marks (नी), and keeps ' and ’ apart. So a word with such a part is asked for in several ways: token by
  token, and with its parts as they stand, with either apostrophe.

Leaving out a part only makes the list longer, so that a question always fits into what the server takes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mmoe.names import name_tokens

LONGEST_QUERY = 300  # characters

_SYNTAX = re.compile(r'["\\@]')
_MAY_BE_ONE_TERM = re.compile(r"\w[^\w\s-]+\w")
_APOSTROPHES = "'’"


def phrase_query(word: str) -> str | None:
    """The question for names that hold a normalised word as it stands; null if it can't be put."""
    term = _term(word)
    return term if _has_letter_or_digit(word) and len(term) <= LONGEST_QUERY else None


def token_queries(word: str) -> tuple[str, ...]:
    """The questions for items of which a name holds all tokens of a normalised word.

    The terms of a question may stand in different names of an item: the answer holds more than is wanted.

    Returns:
        Questions whose lists together hold all such items; nothing if one of them can't be put.
    """
    ways: list[Iterable[str]] = [name_tokens(word)]
    if _MAY_BE_ONE_TERM.search(word) or any(map(_is_mark, word)):
        ways += [re.sub(f"[{_APOSTROPHES}]", sign, word).split() for sign in _APOSTROPHES]
    queries = dict.fromkeys(_query_for_all(parts) for parts in ways)
    return tuple(query for query in queries if query) if "" not in queries else ()


def _query_for_all(parts: Iterable[str]) -> str:
    """Names that hold these parts, the longest of them if they are too many; empty if there is none."""
    terms = {_term(part) for part in parts if _has_letter_or_digit(part)}
    query = ""
    # Sorted, so that words of the same tokens are one question.
    for term in sorted(terms, key=lambda term: (-len(term), term)):
        longer = f"{query} {term}".lstrip()
        if len(longer) <= LONGEST_QUERY:
            query = longer
    return query


def _term(text: str) -> str:
    return f'inlabel:"{" ".join(_SYNTAX.sub(" ", text).split())}"'


def _has_letter_or_digit(text: str) -> bool:
    return any(character.isalpha() or character.isdecimal() for character in text)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
