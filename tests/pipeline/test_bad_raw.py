"""Raw data that can't be read: ingest says so in one line, and what was there before stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.project import DONE, contents, one_line
from tests.pipeline.tiny import read_jsonl, write_jsonl

RAW = Path("data/raw/tiny")
MENTIONS, ENTITIES = RAW / "mentions.jsonl", RAW / "entities.jsonl"


def no_folder() -> None:
    shutil.rmtree(RAW)


def no_file() -> None:
    ENTITIES.unlink()


def broken_json() -> None:
    lines = MENTIONS.read_text().splitlines()
    MENTIONS.write_text("\n".join([*lines[:2], lines[2][:-1], *lines[3:]]))


def no_key() -> None:
    rows = read_jsonl(MENTIONS)
    del rows[3]["surface_form"]
    write_jsonl(MENTIONS, rows)


def same_mention_twice() -> None:
    rows = read_jsonl(MENTIONS)
    write_jsonl(MENTIONS, [*rows, rows[0]])


def same_entity_twice() -> None:
    rows = read_jsonl(ENTITIES)
    write_jsonl(ENTITIES, [*rows, rows[1]])


def no_entities() -> None:
    ENTITIES.write_text("")


def no_test_mention() -> None:
    write_jsonl(MENTIONS, [row for row in read_jsonl(MENTIONS) if row["split"] != "test"])


def no_gold_in_valid() -> None:
    rows = read_jsonl(MENTIONS)
    write_jsonl(MENTIONS, [r | {"gold_qid": None} if r["split"] == "valid" else r for r in rows])


def latin_1() -> None:
    row = b'{"mention_id": "x", "surface_form": "Z\xfcrich", "context": "", "split": "test"}\n'
    MENTIONS.write_bytes(MENTIONS.read_bytes() + row)


def escaping_image() -> None:
    rows = read_jsonl(MENTIONS)
    write_jsonl(MENTIONS, [rows[0] | {"image": "../../../params.yaml"}, *rows[1:]])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_folder, "data/raw/tiny: no such folder; put the data set there"),
        (no_file, "data/raw/tiny: no entities.jsonl or entities.csv; add one of them"),
        (broken_json, "data/raw/tiny/mentions.jsonl, row 3: not valid JSON at column"),
        (no_key, "data/raw/tiny/mentions.jsonl, row 4: key `surface_form` is missing"),
        (same_mention_twice, "mentions.jsonl, row 21: mention_id 'm0001' stands already in"),
        (same_entity_twice, "stands already in data/raw/tiny/entities.jsonl, row 2; ids must be"),
        (no_entities, "data/raw/tiny: the knowledge base is empty; list at least one entity"),
        (no_test_mention, "data/raw/tiny: split test is empty: of the 0 mentions read for it"),
        (no_gold_in_valid, "data/raw/tiny: split valid is empty: of the 5 mentions read for it"),
        (latin_1, "data/raw/tiny/mentions.jsonl: not UTF-8 at line 21, byte"),
        (
            escaping_image,
            "mentions.jsonl, row 1, key `image`: '../../../params.yaml' leads out",
        ),
    ],
)
def test_ingest_names_what_is_wrong(
    spoil: Callable[[], None],
    said: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = contents(*DONE)
    spoil()
    line = one_line(capsys, "ingest", "tiny")
    assert said in line
    assert contents(*DONE) == before


def test_a_wikidata_line_that_is_no_json_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = RAW / "wikidata.jsonl"
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([*lines[:4], lines[4][:50], *lines[5:]]), "utf-8")
    line = one_line(capsys, "retrieve", "tiny")
    assert line.startswith("data/raw/tiny/wikidata.jsonl")
    assert "5" in line


def test_a_slice_that_is_missing_names_the_knob(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (RAW / "wikidata.jsonl").unlink()
    assert "retrieve.source" in one_line(capsys, "retrieve", "tiny")
