"""Values of statements as text; entities that they refer to get their labels later."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from mmoe.wikidata.entity import DEFAULT_LANGUAGE
from mmoe.wikidata.knowledge.times import written_time

_AMOUNT = re.compile(r"[+-]?(\d+(?:\.\d+)?)")
_NO_UNIT = "1"


class Value(NamedTuple):
    """A value, as far as it can be written without looking into other entities.

    Attributes:
        text: what is known already; "" for a mere reference.
        entity: whose label follows the text: the item referred to, or a quantity's unit; null for none.
    """

    text: str
    entity: str | None = None

    def written(self, labels: Mapping[str, str]) -> str | None:
        """The whole text; null if it needs a label that is not there."""
        if self.entity is None:
            return self.text
        label = labels.get(self.entity)
        return None if label is None else f"{self.text} {label}".strip()


class UnwrittenError(ValueError):
    """A value that has no text; the message is the reason by which it is counted."""


def read_value(value: Any, languages: Collection[str]) -> Value:
    """What stands under `datavalue.value`: a text, a reference, a time, a quantity or a text in a language.

    Args:
        languages: in which, besides `mul`, a text that tells its language may be.
    Raises:
        UnwrittenError: if it is in another language, of another kind (a place on the globe, say) or not of
            its documented form.
    """
    if isinstance(value, str):
        return Value(_plain(value))
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            return Value("", value["id"])
        if isinstance(value.get("text"), str):
            if value.get("language") not in (*languages, DEFAULT_LANGUAGE):
                raise UnwrittenError("in another language")
            return Value(_plain(value["text"]))
        if "time" in value:
            time = written_time(value)
            if time is None:
                raise UnwrittenError("time that can't be read")
            return Value(time)
        if "amount" in value:
            return _quantity(value)
    raise UnwrittenError("of a kind that has no text")


def _quantity(value: dict[str, Any]) -> Value:
    amount, unit = value["amount"], value.get("unit", _NO_UNIT)
    match = _AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
    if match is None or not isinstance(unit, str):
        raise UnwrittenError("quantity that can't be read")
    text = f"-{match[1]}" if amount.startswith("-") else match[1]
    # The unit is an item's address: http://www.wikidata.org/entity/Q828224.
    return Value(text, None if unit == _NO_UNIT else unit.rpartition("/")[2])


def _plain(text: str) -> str:
    plain = " ".join(text.split())
    if not plain:
        raise UnwrittenError("empty text")
    return plain
