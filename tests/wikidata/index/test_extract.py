"""Every line of a block is kept, or counted by the reason why not."""

from __future__ import annotations

import pytest

from mmoe.wikidata.entity import Item
from mmoe.wikidata.index.extract import Block, Extract, extract
from mmoe.wikidata.selection import checked_selection

from tests.wikidata.index.dumps import ENGLISH, entity
from tests.wikidata.knowledge.world import item_value, statement

ADA = entity("Q1", "Ada", ["Q5"])


def extracted(*lines: bytes) -> Extract:
    data = b"".join(line + b"\n" for line in lines)
    return extract(Block(2, "dump.json", 0, data), ENGLISH)


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
    assert found.tally.lines == 3


@pytest.mark.parametrize(
    "line",
    [
        ADA,
        ADA + b",",
        b"  " + ADA + b", \r",
        b"\xef\xbb\xbf[\n\n" + ADA + b",\n]",
        entity("Q1", "Ada", descriptions=[], aliases=[], claims=[], sitelinks=[]),
        entity("Q1", labels={"mul": {"value": "Ada"}}),
        entity("Q1", aliases={"en": [{"value": "Ada"}]}),
        # A kind counts only by its best-ranked statements.
        entity("Q1", "Ada", claims={"P31": [statement(item_value("Q4167410"), "deprecated")]}),
        entity(
            "Q1",
            "Ada",
            claims={
                "P31": [statement(item_value("Q4167410")), statement(item_value("Q5"), "preferred")]
            },
        ),
    ],
)
def test_a_line_is_kept(line: bytes) -> None:
    found = extracted(line)
    assert qids(found) == ["Q1"]
    assert found.names.column("name").to_pylist() == ["ada"]


def test_the_first_broken_lines_are_described() -> None:
    tally = extracted(b"[", b"{", entity("Q1", claims={"P31": {}}), *[b"}"] * 9).tally
    assert len(tally.examples) == 5
    assert tally.examples[0].startswith("dump.json, line 2: malformed JSON (")
    assert tally.examples[1] == (
        "dump.json, line 3, item Q1, key `claims`: P31 must be a list of statements"
    )


@pytest.mark.parametrize(
    ("keep", "kinds", "reason"),
    [
        (("Q5", "Q515"), ("Q6256", "Q515"), None),
        (("Q5", "Q515"), ("Q6256",), "not of the kinds kept"),
        (("Q5", "Q515"), (), "not of the kinds kept"),
        (("Q5", "Q515"), ("Q5", "Q4167410"), "disambiguation page"),
        # A page that is to be kept is not dropped.
        (("Q4167410",), ("Q4167410",), None),
        (("Q4167410",), ("Q4167836",), "category"),
    ],
)
def test_kinds_to_keep_leave_only_these(
    keep: tuple[str, ...], kinds: tuple[str, ...], reason: str | None
) -> None:
    item = Item("Q1", "Ada", None, instance_of=kinds)
    assert checked_selection(("en",), None, keep).reason_against(item) == reason
