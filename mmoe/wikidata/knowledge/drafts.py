"""A chosen item as far as its own lines of the dump tell it, and its attributes once the labels are known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from mmoe.wikidata.entity import DEFAULT_LANGUAGE, Item, best_values
from mmoe.wikidata.knowledge.request import KbRequest

NO_VALUE_LABEL = "value whose label is missing"
NO_PROPERTY_LABEL = "value of a property whose label is missing"

# A year has any number of digits; month and day are 00 where the precision is coarser.
_TIME = re.compile(r"([+-])(\d+)-(\d\d)-(\d\d)T")

MILLENNIUM, CENTURY, DECADE, YEAR, MONTH, DAY, SECOND = 6, 7, 8, 9, 10, 11, 14


def written_time(value: Mapping[str, Any]) -> str | None:
    """A point in time: 1952-03-11, 1952-03, 1952, 1950s, 20th century, about 3000000; then BCE, if it is.

    Args:
        value: with `time` and `precision`, as a statement holds them. -0044 is 44 BCE: there is no year 0.
    Returns:
        None if it is not of the documented form.
    Source: Wikibase's JSON documentation.
    """
    time, precision = value.get("time"), value.get("precision")
    match = _TIME.match(time) if isinstance(time, str) else None
    if match is None or not isinstance(precision, int) or not 0 <= precision <= SECOND:
        return None
    sign, year, month, day = match[1], int(match[2]), match[3], match[4]
    if year == 0:
        return None
    # A precision that the digits don't bear out is taken as coarse as they are.
    finest = YEAR if month == "00" else MONTH if day == "00" else DAY
    text = _written(year, month, day, min(precision, finest))
    return f"{text} BCE" if sign == "-" else text


def _written(year: int, month: str, day: str, precision: int) -> str:
    texts = {
        DAY: f"{year}-{month}-{day}",
        MONTH: f"{year}-{month}",
        YEAR: f"{year}",
        DECADE: f"{year // 10 * 10}s",
        CENTURY: f"{_ordinal(-(-year // 100))} century",
        MILLENNIUM: f"{_ordinal(-(-year // 1000))} millennium",
    }
    return texts.get(precision, f"about {year}")


def _ordinal(number: int) -> str:
    is_teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


_AMOUNT = re.compile(r"[+-]?(\d+(?:\.\d+)?)")
_NO_UNIT = "1"


class Value(NamedTuple):
    """A value, as far as it can be written without looking into other entities.

    Attributes:
        text: what is known already; "" for a mere reference.
        entity: whose label follows the text: the item referred to, or a quantity's unit; None for none.
    """

    text: str
    entity: str | None = None

    def written(self, labels: Mapping[str, str]) -> str | None:
        """The whole text; None if it needs a label that is not there."""
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


@dataclass(frozen=True, slots=True)
class Draft:
    """One future entity.

    Attributes:
        image: its file name on Commons.
        sitelinks: number of its Wikipedia articles.
        facts: property -> the first few of its best-ranked values, in the order in which the properties
            were asked for.
        aliases: its other names in all chosen languages.
    """

    qid: str
    name: str
    description: str | None
    image: str | None
    sitelinks: int | None
    facts: dict[str, tuple[Value, ...]]
    aliases: Sequence[str] = ()

    def refers_to(self) -> Iterator[str]:
        """The properties and entities whose labels its attributes need."""
        for prop, values in self.facts.items():
            yield prop
            yield from (value.entity for value in values if value.entity is not None)


def draft_of(
    entity: dict[str, Any], item: Item, request: KbRequest, unwritten: Counter[str]
) -> Draft:
    """The draft of an item that has a label.

    Args:
        unwritten: values that have no text, or none in the languages, are counted here, by reason.
    Raises:
        WikidataError: if the statements are not of the documented form.
    """
    assert item.label is not None
    where = f"item {item.qid}"
    facts = {}
    for prop in request.properties_of(entity, where):
        values: dict[Value, None] = {}
        for value in best_values(entity, prop, where):
            try:
                values[read_value(value, request.languages)] = None
            except UnwrittenError as error:
                unwritten[str(error)] += 1
        if values:
            facts[prop] = tuple(values)[: request.max_values]
    name = " ".join(item.label.split())
    known = (item.qid, name, item.description, item.image, item.sitelinks)
    return Draft(*known, facts, item.aliases)


def read_drafts(file: Path) -> Iterator[Draft]:
    """The drafts of a file, in the order in which they were written."""
    with file.open("rb") as stream:
        for line in stream:
            draft = Draft(**orjson.loads(line))
            for prop, values in draft.facts.items():
                draft.facts[prop] = tuple(Value(*value) for value in values)
            yield draft


def attributes_of(draft: Draft, labels: Mapping[str, str], left_out: Counter[str]) -> str:
    """The attributes of a draft; "" if nothing can be said.

    Args:
        labels: of properties and items, by id.
        left_out: values that can't be written for want of a label are counted here.
    """
    sentences = []
    for prop, values in draft.facts.items():
        name = labels.get(prop)
        if name is None:
            left_out[NO_PROPERTY_LABEL] += len(values)
            continue
        texts = [text for value in values if (text := value.written(labels)) is not None]
        left_out[NO_VALUE_LABEL] += len(values) - len(texts)
        if texts:
            sentences.append(sentence(f"{name}: {', '.join(dict.fromkeys(texts))}"))
    return " ".join(sentences)


def sentence(text: str) -> str:
    """A text on one line, from a capital letter to a full stop; "" stays so."""
    plain = " ".join(text.split())
    plain = f"{plain[:1].upper()}{plain[1:]}"
    return plain if plain.endswith(".") or not plain else f"{plain}."
