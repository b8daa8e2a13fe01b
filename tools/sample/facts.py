"""The authored attributes as facts, each under a property of the project's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from mmoe.wikidata.knowledge.drafts import Draft, Value, attributes_of, read_value

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
    if not (is_whole and is_unique and _written(facts) == attributes):
        raise ValueError(
            f"{attributes!r}: must be like 'Type: planet. Moons: none.', each key once"
        )
    return facts


def _written(facts: Sequence[Fact]) -> str:
    """What the builder of knowledge bases makes of facts."""
    labels: dict[str, str] = {}
    values: dict[str, tuple[Value, ...]] = {}
    for number, (key, value) in enumerate(facts):
        labels[f"P{number}"] = label_of(" ".join(key.split()))
        values[f"P{number}"] = (read_value(value, ()),)
    return attributes_of(Draft("", "", None, None, None, values), labels, Counter())


def own_properties(lines: Iterable[str]) -> dict[str, str]:
    """The property of each key that stands in lines of attributes, numbered as the keys first occur."""
    keys = dict.fromkeys(key for line in lines for key, _ in facts_of(line))
    return {key: f"P{number}" for number, key in enumerate(keys, FIRST_NUMBER)}


def label_of(key: str) -> str:
    """The label of a key's property: in lower case as Wikidata's own, as far as it can be turned back."""
    label = f"{key[:1].lower()}{key[1:]}"
    return label if f"{label[:1].upper()}{label[1:]}" == key else key
