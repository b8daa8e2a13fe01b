"""When two surface forms count as the same name: one rule for retrieval, ranking and baselines."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

_TOKEN = re.compile(r"\w+")
_SUFFIX = re.compile(r"(?<=\S)\s*\([^()]+\)$")


def normalise_name(name: str) -> str:
    """The form in which names are compared: percent-decoded, NFC, case-folded, white space collapsed.

    Underscores count as white space, as in page titles. Normalising twice changes nothing for a name
    that holds no percent sign.
    """
    plain = unquote(name).replace("_", " ")
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", plain).casefold())
    return " ".join(folded.split())


def without_suffix(name: str) -> str:
    """A normalised name without the parenthesis at its end that tells it from its namesakes."""
    return _SUFFIX.sub("", name)


def name_tokens(name: str) -> list[str]:
    """The words of a normalised name, in order, punctuation dropped ("Jean-Luc O'Neil" has four)."""
    return _TOKEN.findall(normalise_name(name))
