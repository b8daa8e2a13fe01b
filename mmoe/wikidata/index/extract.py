"""The items and names of a block of lines: every line is kept, or counted by the reason why not."""

from __future__ import annotations

import gc
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from mmoe.errors import WikidataError
from mmoe.wikidata.dump import BYTE_ORDER_MARK, entity_in
from mmoe.wikidata.entity import Item, read_item
from mmoe.wikidata.label_index import (
    ITEM_SCHEMA,
    NAME_SCHEMA,
    ItemRow,
    NameRow,
    item_row,
    name_rows,
    table_of,
)
from mmoe.wikidata.selection import Selection

# Where a row's line stands in the dump: the part's number, then the line's in the part. It decides which
# of two lines of the same item counts.
PLACE = pa.field("place", pa.int64(), nullable=False)
PLACED_ITEMS, PLACED_NAMES = ITEM_SCHEMA.append(PLACE), NAME_SCHEMA.append(PLACE)
LINES_PER_PART = 1 << 40

NOT_JSON, NOT_UTF8, NOT_AS_DOCUMENTED = "malformed JSON", "not UTF-8", "not of the documented form"
BROKEN = (NOT_JSON, NOT_UTF8, NOT_AS_DOCUMENTED)
NO_NAME, DUPLICATE, KEPT = "no name in the languages", "duplicate", "kept"
OPENING, CLOSING, EMPTY = "[", "]", ""  # lines without an entity
ENTITIES = ("property", "lexeme")
ANOTHER_ENTITY = "entity of another type"

MAX_EXAMPLES = 5
ENOUGH_TO_JUDGE = 1000  # lines; before, a few broken ones may be chance


@dataclass
class Tally:
    """Counts of lines, each once: it holds an entity, or is broken, a bracket or empty.

    Attributes:
        counts: lines by what became of them: KEPT or the reason why not.
        examples: the first few broken lines, and what is wrong with them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """Number of lines, brackets and empty ones aside."""
        return self.counts.total() - sum(self.counts[each] for each in (OPENING, CLOSING, EMPTY))

    @property
    def skipped(self) -> dict[str, int]:
        """The lines that are not kept, by reason, in alphabetical order."""
        others = (KEPT, OPENING, CLOSING, EMPTY)
        return {why: n for why, n in sorted(self.counts.items()) if n and why not in others}

    @property
    def broken(self) -> int:
        """Number of broken lines."""
        return sum(self.counts[reason] for reason in BROKEN)

    def skip_broken(self, reason: str, what: str) -> None:
        """Counts a broken line; what is wrong with it is remembered of the first few."""
        self.counts[reason] += 1
        self.examples = [*self.examples, what][:MAX_EXAMPLES]

    def check(self, where: str, enough: int = ENOUGH_TO_JUDGE) -> None:
        """Makes sure that this is a dump.

        Args:
            enough: number of lines from which on a judgement is passed.
        Raises:
            WikidataError: if more than half of the lines are broken.
        """
        if self.lines >= enough and 2 * self.broken > self.lines:
            raise WikidataError(
                f"{where}: {self.broken:,} of the first {self.lines:,} lines are no entities "
                f"({self.examples[0]}); name a Wikidata JSON dump, which has one entity a line"
            )

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """The counts of consecutive lines."""
        whole = cls()
        for tally in tallies:
            whole.counts.update(tally.counts)
            whole.examples = (whole.examples + tally.examples)[:MAX_EXAMPLES]
        return whole


class Block(NamedTuple):
    """Consecutive whole lines of a part, which has a number and a name; `lines_before` stand before them."""

    part: int
    name: str
    lines_before: int
    data: bytes

    def lines(self) -> Iterator[bytes]:
        """The lines, one at a time: together they would take as much memory again, and time."""
        for number, line in enumerate(io.BytesIO(self.data)):
            is_first = not (self.lines_before or number)
            yield line.removeprefix(BYTE_ORDER_MARK) if is_first else line


class Extract(NamedTuple):
    """What a block holds: tables as PLACED_ITEMS and PLACED_NAMES, its size in bytes and its CRC-32."""

    items: pa.Table
    names: pa.Table
    tally: Tally
    size: int
    checksum: int


def extract(block: Block, selection: Selection) -> Extract:
    """Reads the lines of a block.

    Never fails for what a line holds. A line counts as broken before its kind is looked at, and for its
    kind before its names are.
    """
    tally = Tally()
    items: list[tuple[Any, ...]] = []
    names: list[tuple[Any, ...]] = []
    with _without_garbage_collection():
        for number, line in enumerate(block.lines(), start=block.lines_before + 1):
            rows = _rows(line, selection, f"{block.name}, line {number}", tally)
            if rows is not None:
                place = block.part * LINES_PER_PART + number
                items.append((*rows[0], place))
                names += [(*row, place) for row in rows[1]]
    tables = table_of(items, PLACED_ITEMS), table_of(names, PLACED_NAMES)
    return Extract(*tables, tally, len(block.data), zlib.crc32(block.data))


def _rows(
    line: bytes, selection: Selection, where: str, tally: Tally
) -> tuple[ItemRow, list[NameRow]] | None:
    """The rows of the line's item, if it is kept; the line is counted in any case."""
    content = entity_in(line)
    if content is None:
        tally.counts[line.strip().removesuffix(b",").decode()] += 1
        return None
    item = _item(content, selection, where, tally)
    if item is None:
        return None
    reason = selection.reason_against(item)
    names = [] if reason else name_rows(item)
    if not names:
        tally.counts[reason or NO_NAME] += 1
        return None
    tally.counts[KEPT] += 1
    return item_row(item), names


def _item(content: bytes, selection: Selection, where: str, tally: Tally) -> Item | None:
    """The item of a line; a line without one is counted."""
    try:
        entity = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        try:
            content.decode("utf-8")
            reason = NOT_JSON
        except UnicodeDecodeError:
            reason = NOT_UTF8
        tally.skip_broken(reason, f"{where}: {reason} ({error})")
        return None
    try:
        item = read_item(entity, selection.languages, where)
    except WikidataError as error:
        tally.skip_broken(NOT_AS_DOCUMENTED, str(error))
        return None
    if item is None:
        tally.counts[entity["type"] if entity["type"] in ENTITIES else ANOTHER_ENTITY] += 1
    return item


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Parsed JSON holds no circles; looking for them takes a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
