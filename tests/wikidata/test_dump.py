"""Blocks of whole lines, whatever the form of a file; no line of a data set's own slice may be broken."""

from __future__ import annotations

import bz2
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.wikidata import dump
from mmoe.wikidata.dump import Stream, find_slice, has_slice, id_of, opened, parts_of, whole_lines
from mmoe.wikidata.index.build import build_from_slice
from mmoe.wikidata.label_index import ITEMS, read_source

from tests.wikidata.index.dumps import table
from tests.wikidata.knowledge.world import line
from tests.wikidata.slices import write_slice

Compress = Callable[[bytes], bytes]


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, "zstd", asbytes=True)
    return packed


COMPRESSIONS: list[tuple[str, Compress]] = [
    (".json.gz", gzip.compress),
    (".json.bz2", bz2.compress),
    (".json.zst", zstd),
]


def read(path: Path, block: int = 50) -> tuple[bytes, Stream]:
    (part,) = parts_of(str(path))
    with opened(part) as opened_stream:
        data = b"".join(whole_lines(opened_stream, "here", block))
    return data, opened_stream


LINES = b"".join(b"line %d\n" % n for n in range(1000))


@pytest.mark.parametrize(("suffix", "compress"), [(".json", bytes), ("", bytes), *COMPRESSIONS])
def test_every_form_is_read_to_its_end(tmp_path: Path, suffix: str, compress: Compress) -> None:
    path = tmp_path / f"dump{suffix}"
    path.write_bytes(compress(LINES[:3000]) + compress(LINES[3000:]))  # two members
    data, ended = read(path)
    assert data == LINES
    assert ended.fault is None


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSIONS)
@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_damaged_file_is_seen(
    tmp_path: Path, suffix: str, compress: Compress, damage: str
) -> None:
    path = tmp_path / f"dump{suffix}"
    second = compress(LINES[3000:])
    path.write_bytes(compress(LINES[:3000]) + (second[:-20] if damage == "cut" else b"garbage" * 9))
    data, ended = read(path)
    assert ended.fault
    # Whole lines only, and the first member's.
    assert LINES.startswith(data)
    assert data.endswith(b"\n")
    assert len(data) > 2900


@given(
    data=st.lists(st.binary(max_size=9)).map(b"\n".join),
    block=st.integers(min_value=1, max_value=30),
)
def test_blocks_are_whole_lines_and_lose_no_byte(data: bytes, block: int) -> None:
    raw = io.BytesIO(data)
    blocks = list(whole_lines(Stream(raw, raw), "here", block))
    assert b"".join(blocks) == data
    assert all(blocks)
    assert all(each.endswith(b"\n") for each in blocks[:-1])


def test_a_line_that_is_far_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "LONGEST_LINE", 1 << 20)
    raw = io.BytesIO(b"a\n" + b"b" * ((1 << 20) + 100))
    with pytest.raises(WikidataError, match="here: holds a line of more than 1 MiB"):
        list(whole_lines(Stream(raw, raw), "here", 1000))


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("b", "a.gz", ".hidden", "c"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "folder").mkdir()
    parts = parts_of(str(tmp_path))
    assert [(part.number, part.name, part.head) for part in parts] == [
        (0, "a.gz", b"a.gz"),
        (1, "b", b"b"),
        (2, "c", b"c"),
    ]


def test_a_missing_dump_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(WikidataError, match=r"none\.json: can't be read \(No such file"):
        parts_of(str(tmp_path / "none.json"))
    with pytest.raises(WikidataError, match="holds no file; name a dump"):
        parts_of(str(tmp_path))


ADA = line("Q1", "Ada")
BEN = line("Q22", "Ben")


def qids(path: Path) -> list[str]:
    build_from_slice(path, ["en"], path.parent / "index")
    found: list[str] = table(path.parent / "index", ITEMS).column("qid").to_pylist()
    return found


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (ADA[:-4], "malformed JSON"),
        (f"{ADA} {BEN}", "malformed JSON"),
        ('{"type": "item", "labels": {}}', "key `id` must be Q and a number, found None"),
        ('{"type": "item", "id": "Q7", "labels": ["a"]}', "item Q7, key `labels`: must be an obj"),
    ],
)
def test_a_broken_line_is_named_and_mended_in_place(
    tmp_path: Path, broken: str, complaint: str
) -> None:
    path = write_slice(tmp_path / "s.jsonl", "[", f"{BEN},", f"{ADA},", broken)
    with pytest.raises(WikidataError, match=rf"{tmp_path}/s\.jsonl, line 4.*{complaint}"):
        qids(path)
    with pytest.raises(WikidataError, match="no whole label index"):
        read_source(tmp_path / "index")
    assert qids(write_slice(path, BEN, ADA)) == ["Q1", "Q22"]


def test_an_item_twice_or_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WikidataError, match=r"s\.jsonl: 1 lines hold an item that stands in an"):
        qids(write_slice(tmp_path / "s.jsonl", ADA, BEN, ADA))
    with pytest.raises(WikidataError, match=r"s\.jsonl: no item is kept \(1 property\)"):
        qids(write_slice(tmp_path / "s.jsonl", '{"type": "property", "id": "P1"}'))


def test_one_slice_must_be_there(tmp_path: Path) -> None:
    assert not has_slice(tmp_path)
    with pytest.raises(WikidataError, match=r"no wikidata\.jsonl .*retrieve\.source .*kb or"):
        find_slice(tmp_path)
    path = write_slice(tmp_path / "wikidata.jsonl", ADA)
    assert find_slice(tmp_path) == path
    write_slice(tmp_path / "wikidata.jsonl.gz", ADA)
    with pytest.raises(WikidataError, match="keep one"):
        find_slice(tmp_path)


IDS = st.from_regex(r"[QPL][1-9][0-9]{0,3}", fullmatch=True)


@given(
    fields=st.dictionaries(
        st.sampled_from(["type", "id", "labels", "x"]),
        IDS | st.sampled_from(["item", "", '","id":"Q7"']) | st.integers() | st.none(),
    )
)
def test_an_id_is_what_json_says_whatever_the_order_of_keys(fields: dict[str, object]) -> None:
    content = json.dumps(fields, separators=(",", ":")).encode()
    expected = fields.get("id")
    assert id_of(content) == (expected if isinstance(expected, str) else None)


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"nonsense", b'{"type":"item","id":7}'])
def test_a_line_without_an_id(content: bytes) -> None:
    assert id_of(content) is None
