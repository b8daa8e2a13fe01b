"""Lines as a full Wikidata dump has them: its sizes, its mix of kinds and its irregularities, seeded.

Real figures that it copies: 1.6 TB over 118 million entities, so 13.6 kB a line; more than a third of the
items are scholarly articles; most statements have a reference; bots describe items in dozens of languages.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Json = dict[str, Any]

LANGUAGES = ["en", "mul", "de", "fr", "es", "nl", "uk", "ru", "ja", "zh", "ar", "it", "pl", "sv"]
LANGUAGES += [f"{a}{b}" for a in "bcghk" for b in "aeiknorstu"] + ["zh-hant", "en-gb", "pt-br"]
SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ner",
    "pu",
    "ban",
    "ris",
    "tol",
    "é",
    "shi",
    "ō",
    "gra",
    "vel",
    "ün",
]
CYRILLIC = ["ка", "ло", "ми", "нер", "пу", "бан"]
WORDS_DRAWN = 4000
LONG_LINE = 4000  # statements of the rare item whose line has several megabytes
ESCAPED = 0.5  # share of lines that write all but ASCII as \u


@dataclass(frozen=True)
class Kind:
    """A kind of item: its share of the dump and how much is said of one; pairs are (fewest, most)."""

    share: float
    qid: str
    labels: tuple[int, int]
    descriptions: tuple[int, int]
    aliases: tuple[int, int]
    statements: tuple[int, int]
    sitelinks: tuple[int, int]


KINDS = (
    Kind(0.37, "Q13442814", (1, 4), (8, 35), (0, 1), (10, 24), (0, 0)),
    Kind(0.11, "Q5", (4, 40), (4, 25), (0, 6), (9, 24), (0, 9)),
    Kind(0.08, "Q523", (1, 4), (5, 15), (1, 6), (10, 18), (0, 0)),
    Kind(0.05, "Q4167836", (2, 12), (30, 60), (0, 0), (1, 3), (1, 8)),
    Kind(0.03, "Q16521", (10, 40), (20, 50), (0, 2), (8, 20), (1, 12)),
    Kind(0.013, "Q4167410", (4, 20), (30, 60), (0, 0), (1, 1), (1, 8)),
    Kind(0.008, "Q11266439", (1, 8), (30, 60), (0, 0), (1, 2), (1, 8)),
    Kind(0.003, "Q13406463", (1, 4), (10, 40), (0, 0), (2, 4), (1, 3)),
    Kind(0.336, "Q486972", (3, 20), (3, 25), (0, 3), (6, 18), (0, 5)),
)


class DumpWriter:
    """Draws entities one after the other; the same seed draws the same ones."""

    def __init__(self, seed: int = 0) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - not a secret
        self._words = ["".join(self._draw.choices(SYLLABLES, k=self._draw.randint(1, 4))) for _ in
                       range(WORDS_DRAWN)]  # fmt: skip
        self._words += ["".join(self._draw.choices(CYRILLIC, k=3)) for _ in range(WORDS_DRAWN // 5)]

    def write(self, path: Path, megabytes: float) -> int:
        """Writes a dump of at least that size (10**6 bytes); returns its number of entities."""
        written, number = 0, 0
        with path.open("wb") as out:
            out.write(b"[\n")
            for line in self.lines():
                if number:
                    out.write(b",\n")
                out.write(line)
                written += len(line) + 2
                number += 1
                if written >= megabytes * 1e6:
                    break
            out.write(b"\n]\n")
        return number

    def lines(self) -> Iterator[bytes]:
        """Lines without end, comma and newline left out."""
        draw, number = self._draw, 0
        while True:
            number += draw.randint(1, 3)
            if draw.random() < 1e-4:
                yield self._dumped(self._property(number))
                continue
            line = self._dumped(self._item(number))
            # A broken line: no dump should have one, a reader must count it.
            yield line[: len(line) // 2] if draw.random() < 2e-5 else line

    def _dumped(self, entity: Json) -> bytes:
        if self._draw.random() < ESCAPED:
            return json.dumps(entity, separators=(",", ":")).encode()
        return orjson.dumps(entity)

    def _property(self, number: int) -> Json:
        terms = {"labels": self._terms(30, 3), "descriptions": self._terms(20, 6)}
        head = {"type": "property", "datatype": "string", "id": f"P{number}"}
        return head | terms | {"aliases": {}, "claims": {}}

    def _item(self, number: int) -> Json:
        draw = self._draw
        kind = draw.choices(KINDS, weights=[kind.share for kind in KINDS])[0]
        labels = self._terms(draw.randint(*kind.labels), 3)
        aliases = {
            code: [self._term(code, 2) for _ in range(draw.randint(1, 3))]
            for code in draw.sample(LANGUAGES[:20], draw.randint(*kind.aliases))
        }
        if "en" in aliases and "en" in labels and draw.random() < 0.1:
            aliases["en"].append(labels["en"])
        qid = f"Q{number}"
        sites = draw.sample(LANGUAGES, draw.randint(*kind.sitelinks))
        return {
            "type": "item",
            "id": qid,
            "labels": labels,
            "descriptions": self._terms(draw.randint(*kind.descriptions), 4) or [],
            "aliases": aliases or draw.choice(({}, [])),
            "claims": self._claims(qid, kind),
            "sitelinks": {f"{code}wiki": self._sitelink(code) for code in sites} or [],
            "pageid": number + 100,
            "ns": 0,
            "title": qid,
            "lastrevid": draw.randrange(10**9),
            "modified": "2026-01-02T03:04:05Z",
        }

    def _claims(self, qid: str, kind: Kind) -> Json:
        draw = self._draw
        claims: Json = {"P31": [self._statement(qid, "P31", _entity_value(kind.qid))]}
        if draw.random() < 0.05:
            claims["P31"].append(self._statement(qid, "P31", _entity_value("Q16334295")))
            claims["P31"][-1]["rank"] = draw.choice(("deprecated", "preferred"))
        if draw.random() < 0.06:
            image = (self._text(3) + ".jpg", "string", "commonsMedia")
            claims["P18"] = [self._statement(qid, "P18", image)]
        number = draw.randint(*kind.statements)
        for _ in range(LONG_LINE if draw.random() < 2e-5 else number):
            prop = f"P{draw.randint(50, 400)}"
            claims.setdefault(prop, []).append(self._statement(qid, prop, self._value()))
        return claims

    def _statement(self, qid: str, prop: str, value: tuple[Any, str, str]) -> Json:
        draw = self._draw
        statement: Json = {
            "mainsnak": self._snak(prop, value),
            "type": "statement",
            "id": f"{qid}${_hex(draw, 8)}-{_hex(draw, 4)}-{_hex(draw, 4)}-{_hex(draw, 12)}",
            "rank": draw.choices(("normal", "preferred", "deprecated"), weights=(95, 4, 1))[0],
        }
        if prop not in ("P31", "P18") and draw.random() < 0.03:
            statement["mainsnak"] = {"snaktype": "somevalue", "property": prop}
        if draw.random() < 0.3:
            statement["qualifiers"] = {"P1545": [self._snak("P1545", ("7", "string", "string"))]}
            statement["qualifiers-order"] = ["P1545"]
        if draw.random() < 0.6:
            snaks = {
                "P248": [self._snak("P248", _entity_value("Q5412157"))],
                "P813": [self._snak("P813", _time_value(draw))],
            }
            reference = {"hash": _hex(draw, 40), "snaks": snaks, "snaks-order": ["P248", "P813"]}
            statement["references"] = [reference]
        return statement

    def _snak(self, prop: str, value: tuple[Any, str, str]) -> Json:
        content, kind, datatype = value
        return {
            "snaktype": "value",
            "property": prop,
            "hash": _hex(self._draw, 40),
            "datavalue": {"value": content, "type": kind},
            "datatype": datatype,
        }

    def _value(self) -> tuple[Any, str, str]:
        choice = self._draw.random()
        if choice < 0.5:
            return _entity_value(f"Q{self._draw.randrange(1, 10**8)}")
        if choice < 0.7:
            return _time_value(self._draw)
        return (self._text(2), "string", "external-id")

    def _sitelink(self, code: str) -> Json:
        return {"site": f"{code}wiki", "title": self._text(2), "badges": []}

    def _terms(self, number: int, words: int) -> Json:
        draw = self._draw
        # English is far more frequent than the others, and mul replaces it on some items.
        first = draw.choices(("en", "mul", None), weights=(85, 8, 7))[0]
        codes = ([first] if first else []) + draw.sample(LANGUAGES[2:], max(0, number - 1))
        return {code: self._term(code, words) for code in codes[:number]}

    def _term(self, code: str, words: int) -> Json:
        return {"language": code, "value": self._text(words)}

    def _text(self, words: int) -> str:
        return " ".join(self._draw.choices(self._words, k=words))


def _hex(draw: random.Random, digits: int) -> str:
    return f"{draw.getrandbits(4 * digits):0{digits}x}"


def _entity_value(qid: str) -> tuple[Any, str, str]:
    value = {"entity-type": "item", "numeric-id": int(qid[1:]), "id": qid}
    return value, "wikibase-entityid", "wikibase-item"


def _time_value(draw: random.Random) -> tuple[Any, str, str]:
    value = {
        "time": f"+{draw.randint(1, 2026):04d}-00-00T00:00:00Z",
        "timezone": 0,
        "before": 0,
        "after": 0,
        "precision": 9,
        "calendarmodel": "http://www.wikidata.org/entity/Q1985727",
    }
    return value, "time", "time"
