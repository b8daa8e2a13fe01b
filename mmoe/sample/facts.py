"""The authored attributes as facts, each under a property of the project's own."""

from __future__ import annotations

import re
from collections.abc import Iterable

FIRST_NUMBER = 900_001  # far beyond Wikidata's own properties

# `St. Louis` and `1.5` are no borders: a key follows one, up to its colon.
_BORDER = re.compile(r"\. (?=[A-Z][^.:]*: )")

Fact = tuple[str, str]  # a key as it is written, and its value without full stop


def facts_of(attributes: str) -> list[Fact]:
    """The facts of a line of attributes, in order: `Type: planet. Moons: none.` holds two.

    Raises:
        ValueError: if the builder of a knowledge base would not put them together as they were.
    """
    parts = [part.partition(": ") for part in _BORDER.split(attributes.removesuffix("."))]
    facts = [(key, value) for key, _, value in parts]
    is_whole = all(key.strip() and value.strip() for key, value in facts)
    is_unique = len(dict(facts)) == len(facts)
    if not (is_whole and is_unique and " ".join(map(_sentence, facts)) == attributes):
        raise ValueError(
            f"{attributes!r}: must be like 'Type: planet. Moons: none.', each key once"
        )
    return facts


def _sentence(fact: Fact) -> str:
    key, value = (" ".join(part.split()) for part in fact)
    sentence = f"{key[:1].upper()}{key[1:]}: {value}"
    return sentence if sentence.endswith(".") else f"{sentence}."


def own_properties(lines: Iterable[str]) -> dict[str, str]:
    """The property of each key that stands in lines of attributes, numbered as the keys first occur."""
    keys = dict.fromkeys(key for line in lines for key, _ in facts_of(line))
    return {key: f"P{number}" for number, key in enumerate(keys, FIRST_NUMBER)}


def label_of(key: str) -> str:
    """The label of a key's property: in lower case as Wikidata's own, as far as it can be turned back."""
    label = f"{key[:1].lower()}{key[1:]}"
    return label if f"{label[:1].upper()}{label[1:]}" == key else key
