"""Every line of a block is kept, or counted by the reason why not."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.wikidata.index.extract import Block, Extract, extract
from mmoe.wikidata.index.tally import Tally
from mmoe.wikidata.label_index import item_row, name_rows
from mmoe.wikidata.selection import Selection

from tests.wikidata.index.dumps import ENGLISH, entity, judgement, statement

ADA = entity("Q1", "Ada", ["Q5"])


def extracted(*lines: bytes, selection: Selection = ENGLISH, lines_before: int = 0) -> Extract:
    data = b"".join(line + b"\n" for line in lines)
    return extract(Block(2, "dump.json", lines_before, data), selection)


def qids(found: Extract) -> list[str]:
    return list(found.items.column("qid").to_pylist())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (ADA[:-1], "malformed JSON"),
        (b'{"type":"item","id":"Q1","labels":{"en":{"value":"\\ud800"}}}', "malformed JSON"),
        (ADA.replace(b"Ada", b"\xe9"), "not UTF-8"),
        (b"[" + ADA + b"]", "not of the documented form"),
        (b'{"id":"Q1"}', "not of the documented form"),
        (b'{"type":"item","id":"Q01"}', "not of the documented form"),
        (entity("Q1", "Ada", claims={"P31": {}}), "not of the documented form"),
        (b'{"type":"property","id":"P31"}', "property"),
        (b'{"type":"lexeme","id":"L1"}', "lexeme"),
        (b'{"type":"mediainfo","id":"M1"}', "entity of another type"),
        (entity("Q1"), "no name in the languages"),
        (entity("Q1", labels={"fr": {"value": "Ada"}}), "no name in the languages"),
        (entity("Q1", "Ada", ["Q5", "Q4167410"]), "disambiguation page"),
    ],
)
def test_a_line_is_skipped_for_its_reason(line: bytes, reason: str) -> None:
    found = extracted(ADA, line, entity("Q2", "Ben"))
    assert qids(found) == ["Q1", "Q2"]
    assert found.tally.skipped == {reason: 1}
    assert (found.tally.lines, found.tally.kept) == (3, 2)


@pytest.mark.parametrize(
    "line",
    [
        ADA,
        ADA + b",",
        b"  " + ADA + b", \r",
        entity("Q1", "Ada", descriptions=[], aliases=[], claims=[], sitelinks=[]),
        entity("Q1", labels={"mul": {"value": "Ada"}}),
        entity("Q1", aliases={"en": [{"value": "Ada"}]}),
        # A kind counts only by its best-ranked statements.
        entity("Q1", "Ada", claims={"P31": [statement("Q4167410", "deprecated")]}),
        entity("Q1", "Ada", claims={"P31": [statement("Q4167410"), statement("Q5", "preferred")]}),
    ],
)
def test_a_line_is_kept(line: bytes) -> None:
    found = extracted(line)
    assert qids(found) == ["Q1"]
    assert found.names.column("name").to_pylist() == ["ada"]


def test_a_byte_order_mark_is_dropped_where_a_file_begins() -> None:
    assert qids(extracted(b"\xef\xbb\xbf" + ADA)) == ["Q1"]
    assert qids(extracted(b"\xef\xbb\xbf" + ADA, lines_before=9)) == []


def test_the_first_broken_lines_are_described() -> None:
    tally = extracted(b"[", b"{", entity("Q1", claims={"P31": {}}), *[b"}"] * 9).tally
    assert len(tally.examples) == 5
    assert tally.examples[0].startswith("dump.json, line 2: malformed JSON (")
    assert tally.examples[1] == (
        "dump.json, line 3, item Q1, key `claims`: P31 must be a list of statements"
    )


NAMES = st.sampled_from(["Ada", "ada ", "Ben_B", "", " ", "É", "%41da", "Z"])
KINDS = st.lists(st.sampled_from(["Q5", "Q515", "Q4167410", "Q4167836"]), max_size=2)
TERMS = st.dictionaries(
    st.sampled_from(["en", "de", "mul", "fr"]), NAMES.map(lambda name: {"value": name}), max_size=3
)
ITEMS = st.builds(
    lambda number, kinds, labels: entity(f"Q{number}", None, kinds, labels=labels or []),
    st.integers(1, 30),
    KINDS,
    TERMS,
)
BROKEN = st.sampled_from(
    [ADA[:9], b"\xff", b"{}", b"[]", b'{"type":"property"}', b'{"type":"lexeme"}', b'{"type":"x"}']
)
REQUESTS = st.builds(
    Selection,
    st.sampled_from([("en",), ("de", "en"), ("fr",)]),
    st.sampled_from([(), ("Q5",), ("Q4167410", "Q4167836")]),
    st.sampled_from([(), ("Q5", "Q515")]),
)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(ITEMS | BROKEN, max_size=15, unique=True), selection=REQUESTS)
def test_counts_and_rows_are_those_of_the_slow_reader(
    lines: list[bytes], selection: Selection
) -> None:
    found = extracted(*lines, selection=selection)
    judged = [judgement(line, selection) for line in lines]
    items = [item for _, item in judged if item is not None]
    assert found.tally.skipped == Counter(reason for reason, _ in judged if reason is not None)
    assert found.tally.kept == len(items)
    assert found.tally.kept + found.tally.skipped.total() == found.tally.lines == len(lines)
    assert rows(found.items) == [item_row(item) for item in items]
    assert rows(found.names) == [row for item in items for row in name_rows(item)]


def rows(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    """The rows without their places."""
    return [tuple(row.values())[:-1] for row in batch.to_pylist()]


def test_more_than_half_of_broken_lines_is_no_dump() -> None:
    tally = extracted(*[ADA] * 500, *[b"{"] * 500).tally
    tally.check("dump")
    tally.skip_broken("not UTF-8", "line")
    with pytest.raises(WikidataError, match=r"dump: 501 of the first 1,001 lines are no entities"):
        tally.check("dump")


def test_tallies_add_up_and_come_back_from_json() -> None:
    lines = [b"[", ADA, b"{", b"}", *[b"\xff"] * 6, b"]"]
    first, second = extracted(*lines[:3]).tally, extracted(*lines[3:], lines_before=3).tally
    whole = Tally.sum([first, second])
    assert whole == extracted(*lines).tally
    assert Tally.from_json(json.loads(json.dumps(whole.as_json()))) == whole
