"""From a dump to an index: the same whatever the dump's form, and every line accounted for."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import BusyError, WikidataError
from mmoe.wikidata.entity import Item, read_item
from mmoe.wikidata.index.build import LOCK
from mmoe.wikidata.label_index import ITEMS, NAMES, write_label_index

from tests.wikidata.index.dumps import build, dump_bytes, entity, many, table, tree, write_dump

ADA, BEN = entity("Q1", "Ada", ["Q5"]), entity("Q22", "Ben")


# Why the line is skipped, if it is.
LINES = {
    ADA: None,
    entity("Q1", "Ada again", ["Q5"]): None,
    entity("Q1", "Ada page", ["Q4167410"]): "disambiguation page",
    entity("Q10", "Zoe"): None,
    entity("Q9", "Zoe"): None,
    entity("Q9", "Adam", aliases={"en": [{"value": "Zoe"}]}): None,
    entity("Q8"): "no name in the languages",
    entity("Q123456789012345678901234567890123456789012345", "Far"): None,
    ADA[:-3]: "malformed JSON",
    b"\xff": "not UTF-8",
    b'{"type":"property","id":"P1"}': "property",
    BEN: None,
}


@settings(max_examples=15, deadline=None)
@given(lines=st.lists(st.sampled_from(sorted(LINES)), max_size=20))
def test_rows_and_counts_are_those_of_the_slow_reader(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("index")
    lines = [ADA, BEN] * (len(lines) + 1) + lines  # no dump is broken in its greater part
    source = build(write_dump(folder / "dump.json", lines), folder / "ours").source
    items: dict[str, Item] = {}
    skipped: Counter[str] = Counter()
    for line in lines:
        item = None if LINES[line] else read_item(json.loads(line), ["en"], "here")
        if item is not None and item.qid not in items:
            items[item.qid] = item
        else:
            skipped[LINES[line] or "duplicate"] += 1
    write_label_index(folder / "slow", items.values(), {})
    for name in (ITEMS, NAMES):
        assert table(folder / "ours", name).equals(table(folder / "slow", name))
    assert source["skipped"] == skipped
    assert source["kept"] == source["items"] == len(items)
    assert source["kept"] + sum(source["skipped"].values()) == source["lines"] == len(lines)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tables of many(200), built from one plain file."""
    folder = tmp_path_factory.mktemp("plain")
    build(write_dump(folder / "dump.json", many(200)), folder / "out")
    return tables(folder / "out")


def tables(folder: Path) -> dict[str, bytes]:
    files = tree(folder)
    assert set(files) == {
        "source.json",
        "items/part-00000.parquet",
        "names/part-00000.parquet",
    }  # nothing is left over
    del files["source.json"]
    return files


def test_standard_input_gives_the_same(
    tmp_path: Path, plain: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(dump_bytes(many(200))))
    monkeypatch.setattr(sys, "stdin", stdin)
    source = build("-", tmp_path / "out").source
    assert tables(tmp_path / "out") == plain
    assert (source["file"], source["bytes"]) == ("standard input", None)


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """many(200), split between lines as the program `split` does; the last file is gzipped."""
    folder, data = tmp_path / "split", dump_bytes(many(200))
    folder.mkdir()
    cuts = [data.index(b"\n", len(data) * n // 3) + 1 for n in (1, 2)]
    (folder / "x-aa").write_bytes(data[: cuts[0]])
    (folder / "x-ab").write_bytes(data[cuts[0] : cuts[1]])
    (folder / "x-ac.gz").write_bytes(gzip.compress(data[cuts[1] :]))
    return folder


@pytest.mark.parametrize(
    "options", [{}, {"processes": 2}, pytest.param({"ray": True}, marks=pytest.mark.ray)]
)
# Ray's own processes warn of things that are none of ours.
@pytest.mark.filterwarnings("ignore")
def test_a_folder_of_split_files_gives_the_same(
    split: Path, plain: dict[str, bytes], options: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    if "ray" in options:
        ray = pytest.importorskip("ray", reason="pip install 'ray[data]'")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        request.addfinalizer(ray.shutdown)
    out = split.parent / "out"
    built = build(split, out, **options)
    assert tables(out) == plain
    assert built.is_closed
    assert (built.source["file"], built.source["files"]) == ("split", 3)


def test_what_ray_can_not_do_is_named(split: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[\n")))
    with pytest.raises(WikidataError, match=r"is not installed; pip install 'ray\[data\]'"):
        build(split, split.parent / "out", ray=True)
    with pytest.raises(WikidataError, match="--ray: spreads files, and standard input is none"):
        build("-", split.parent / "out", ray=True)


def test_an_index_that_stands_there_is_replaced(tmp_path: Path) -> None:
    build(write_dump(tmp_path / "a", many(200)), tmp_path / "out")
    (tmp_path / "out" / NAMES / "part-00001.parquet").write_bytes(b"stale")
    build(write_dump(tmp_path / "b", [ADA]), tmp_path / "out")
    assert table(tmp_path / "out", ITEMS).num_rows == table(tmp_path / "out", NAMES).num_rows == 1


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"{\n" * 3, "dump: 3 of the first 3 lines are no entities"),
        (b"some text\n" * 5000, r"dump: [\d,]+ of the first 1,\d{3} lines are no entities"),
        (dump_bytes([entity("Q1"), BEN.replace(b"Ben", b"")]), "no item is kept \\(2 no name in"),
        (b"", r"no item is kept \(\)"),
    ],
)
def test_a_file_that_is_no_dump_makes_no_index(tmp_path: Path, data: bytes, complaint: str) -> None:
    (tmp_path / "dump").write_bytes(data)
    with pytest.raises(WikidataError, match=complaint):
        build(tmp_path / "dump", tmp_path / "out")
    assert not (tmp_path / "out" / "source.json").exists()


def test_two_runs_into_one_folder_are_refused(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump", [ADA])
    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / LOCK),
        pytest.raises(BusyError, match="is at work here; wait until"),
    ):
        build(dump, tmp_path / "out")
