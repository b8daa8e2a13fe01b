"""Our own format: what a legal folder gives, and the line that each mistake gives."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets import read_dataset
from mmoe.errors import DataError
from mmoe.files import sha256_of
from mmoe.records import SPLITS

from tests.datasets.folders import (
    Table,
    image,
    mention,
    three_mentions,
    two_entities,
    write_csv,
    write_own,
)


def test_a_legal_folder(tmp_path: Path) -> None:
    image(tmp_path, "p/a b.png")
    full = mention("m1", image="p/a b.png", sentence_id="s1", description="an island")
    rows = [full, mention("m2", "valid", description=""), mention("m3", "test")]
    dataset = read_dataset(write_own(tmp_path, rows), "auto")
    first, second, third = dataset.mentions
    assert dataset.format == "own"
    assert (first.sentence_id, first.image, first.in_kb) == ("s1", "p/a b.png", True)
    assert (second.sentence_id, second.image, second.split) == ("m2", None, "valid")
    assert [m.description for m in (first, second, third)] == ["an island", None, None]
    assert dataset.counts == {"missing_mention_images": 0, "missing_entity_images": 0}
    assert [entity.attributes for entity in dataset.entities] == ["", "code"]
    assert dataset.sources["mentions.jsonl"] == sha256_of(tmp_path / "mentions.jsonl")


@pytest.mark.parametrize("gold", [None, "", "nil", "NIL", " Nil "])
def test_the_ways_to_say_nil(tmp_path: Path, gold: str | None) -> None:
    rows = [mention("m0", gold_qid=gold), mention("m9", gold_qid="Q9"), *three_mentions()]
    nil, outside, *_ = read_dataset(write_own(tmp_path, rows), "own").mentions
    assert (nil.gold_qid, nil.in_kb) == (None, False)
    assert (outside.gold_qid, outside.in_kb) == ("Q9", False)


def test_images_are_found_as_written_or_percent_decoded(tmp_path: Path) -> None:
    for name in ("p/Caf\u00e9.png", "p/100%25.png", "p/two.png"):
        image(tmp_path, name)
    listed = ["p/Caf%C3%A9.png", "p/100%25.png", "p/absent.png"]
    rows = [mention(f"m{i}", image=name) for i, name in enumerate(listed)]
    entities = [{"qid": "Q3757", "name": "Java", "images": ["p/gone.png", "p/two.png"]}]
    dataset = read_dataset(write_own(tmp_path, rows, entities), "own")
    assert [m.image for m in dataset.mentions] == ["p/Caf\u00e9.png", "p/100%25.png", None]
    assert dataset.entities[0].images == ("p/two.png",)
    assert dataset.counts["missing_mention_images"] == 1
    assert dataset.counts["missing_entity_images"] == 1


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    words=st.lists(TEXT.filter(lambda text: bool(text.strip())), min_size=1, max_size=4),
)
def test_csv_reads_as_jsonl(encoding: str, words: list[str]) -> None:
    rows = [
        mention(f"m{i}", SPLITS[i % 3], surface_form=word, context=word * 2, gold_qid="")
        for i, word in enumerate(words)
    ]
    entities = [{"qid": "Q1", "name": words[0], "attributes": words[-1], "images": ["a", "b c"]}]
    cells = [entities[0] | {"images": "a|b c"}]
    with tempfile.TemporaryDirectory() as name:
        lines, table = Path(name, "lines"), Path(name, "table")
        write_own(lines, rows, entities)
        write_csv(table / "mentions.csv", rows, encoding)
        write_csv(table / "entities.csv", cells, encoding)
        for folder in (lines, table):
            image(folder, "b c")
        one, other = read_dataset(lines, "own"), read_dataset(table, "own")
    assert one.mentions == other.mentions
    assert one.entities == other.entities
    assert one.entities[0].images == ("b c",)
    assert [m.surface_form for m in one.mentions] == words


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"context": 7}, r"row 1, key `context`: must be text, found 7"),
        ({"context": "\ud800"}, r"row 1, key `context`: holds half a surrogate"),
        ({"image": "/etc/hostname"}, r"row 1, key `image`: '/etc/hostname' leads out"),
        ({"image": "p/../../x.png"}, r"leads out of the data set's folder"),
        ({"image": "%2e%2e/x.png"}, r"leads out of the data set's folder"),
        ({"image": "C:\\x.png"}, r"leads out of the data set's folder"),
        ({"image": ["a"]}, r"key `image`: must be text"),
        ({"image": "\ud800/x.png"}, r"key `image`: holds half a surrogate"),
        ({"description": 7}, r"key `description`: must be text, found 7; write it as one text"),
        ({"\udc00": 1}, r"key `\\udc00` holds half a surrogate pair; rename"),
    ],
)
def test_a_bad_mention(tmp_path: Path, spoilt: dict[str, Any], message: str) -> None:
    write_own(tmp_path)
    rows = [mention("m1") | spoilt, *three_mentions()[1:]]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "mentions.jsonl").write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path, "own")


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        (
            {"qid": "Q5", "name": "x", "images": ["a", 5]},
            r"key `images`, number 2: must be text",
        ),
        ({"qid": " NIL ", "name": "x"}, r"row 3, key `qid`: \" NIL \" means no entity"),
        ({"qid": " Q3757 ", "name": "x"}, r"row 3: qid 'Q3757' stands already"),
        ({"qid": "", "name": "x"}, r"row 3, key `qid`: is empty"),
    ],
)
def test_a_bad_entity(tmp_path: Path, entity: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_dataset(write_own(tmp_path, entities=[*two_entities(), entity]), "own")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"mention_id": "m1"\n', r"row 1: not valid JSON at column 20"),
        (b'\n\n["m1"]\n', r"row 3: must be a JSON object, found list"),
        (
            b'{"surface_form": "a", "surface_form": "b"}\n',
            r"row 1: key `surface_form` stands twice",
        ),
        (b'{"surface_form": 1' + b"0" * 5000 + b"}\n", r"row 1: not readable JSON"),
        (
            b'{"surface_form": "\xe9"}\n',
            r"mentions\.jsonl: not UTF-8 at line 1, byte 19 \(0xe9\), looks like Latin-1",
        ),
    ],
)
def test_broken_jsonl(tmp_path: Path, content: bytes, message: str) -> None:
    (write_own(tmp_path) / "mentions.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path, "own")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word,word\n", r"row 1: column `word` stands twice"),
        ("word,split\nx,train\n", r"row 1: column `mention_id` is missing; add it"),
    ],
)
def test_broken_csv(tmp_path: Path, content: str, message: str) -> None:
    (write_own(tmp_path) / "mentions.jsonl").unlink()
    (tmp_path / "mentions.csv").write_text(content, "utf-8")
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path, "own")


def test_line_separators_inside_a_string_end_no_row(tmp_path: Path) -> None:
    rows = [mention("m1", context="one\u2028two\x85three"), *three_mentions()[1:]]
    assert read_dataset(write_own(tmp_path, rows), "own").mentions[0].context.count("\u2028") == 1


def test_every_problem_at_once(tmp_path: Path) -> None:
    rows = [
        mention("m1", split="dev", surface_form=" ", image="../x.png"),
        mention("m2", "valid", context=None),
        mention("m2", "test"),
    ]
    entities: Table = [{"qid": "Q1"}, {"qid": "nil", "name": "x", "images": 3}]
    with pytest.raises(DataError) as caught:
        read_dataset(write_own(tmp_path, rows, entities), "own")
    mentions, kb = tmp_path / "mentions.jsonl", tmp_path / "entities.jsonl"
    said = [line.split(";")[0] for line in str(caught.value).splitlines()]
    assert sorted(said) == sorted(
        [
            f"{mentions}, row 1, key `image`: '../x.png' leads out of the data set's folder",
            f"{mentions}, row 1, key `surface_form`: is empty",
            f"{mentions}, row 1, key `split`: 'dev' is no split",
            f"{mentions}, row 2, key `context`: must be text, found null",
            f"{mentions}, row 3: mention_id 'm2' stands already in {mentions}, row 2",
            f"{kb}, row 1: key `name` is missing",
            f'{kb}, row 2, key `qid`: "nil" means no entity',
            f"{kb}, row 2, key `images`: must be a list of texts, found 3",
        ]
    )


@pytest.mark.parametrize("number", [20, 21, 50])
def test_ingest_says_twenty_and_where_the_others_are(tmp_path: Path, number: int) -> None:
    rows = [mention(f"m{i}", surface_form="") for i in range(number)]
    with pytest.raises(DataError) as caught:
        read_dataset(write_own(tmp_path, rows), "own")
    lines = str(caught.value).splitlines()
    assert len([line for line in lines if "is empty" in line]) == 20
    rest = f"… and {number - 20} more; `mmoe check {tmp_path}` lists all"
    assert lines[20:] == ([rest] if number > 20 else [])


def test_both_tables_are_read_where_one_is_doubled(tmp_path: Path) -> None:
    write_own(tmp_path, entities=[{"qid": "Q1"}])
    (tmp_path / "mentions.csv").write_text("mention_id\n")
    with pytest.raises(DataError, match=r"(?s)remove one of them.*row 1: key `name` is missing"):
        read_dataset(tmp_path, "own")
