"""`convert`: columns to keys, splits, ids and images, from every kind of source; all or nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mmoe.cli import main
from mmoe.datasets import read_dataset
from mmoe.datasets.convert import Wish
from mmoe.datasets.convert import convert as make
from mmoe.datasets.sources import Source
from mmoe.files import sha256_of

from tests.datasets.folders import Table, mention, two_entities, write_csv, write_jsonl, write_own

MAPPED = ("--map", "surface_form=form", "--map", "context=text")


def foreign(number: int, **values: Any) -> dict[str, Any]:
    """A row with other people's names for word and context."""
    return {"form": f"w{number}", "text": f"about w{number}", "gold_qid": "Q251"} | values


def drawing(kind: str, size: int = 3) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (size, 2), (size, 80, 9)).save(stream, kind)
    return stream.getvalue()


def write_parquet(path: Path, rows: Table, schema: pa.Schema | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def write_arrow(path: Path, rows: Table, schema: pa.Schema | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=schema)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table, max_chunksize=100)


def converted(folder: Path, table: str = "mentions") -> Table:
    lines = (folder / f"{table}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def convert(*words: object) -> int:
    return main(["convert", *map(str, words)])


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert convert(*words) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("ending", "write"),
    [
        ("csv", write_csv),
        ("tsv", write_csv),
        ("jsonl", write_jsonl),
        ("parquet", write_parquet),
        ("arrow", write_arrow),
    ],
)
def test_every_source_gives_the_same_rows(
    tmp_path: Path, ending: str, write: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [foreign(i, split="train", text=f'é, "{i}"\n|') for i in range(150)]
    write(source := tmp_path / f"rows.{ending}", rows)
    convert("mentions", source, "--to", tmp_path / "own", *MAPPED)
    assert converted(tmp_path / "own") == [
        mention(f"m{i}", surface_form=row["form"], context=row["text"], gold_qid="Q251")
        for i, row in enumerate(rows, start=1)
    ]
    said = capsys.readouterr().out
    assert "  surface_form <- form\n" in said
    assert "  mention_id <- the row's number: m1, m2, …\n" in said


def test_splits_from_file_names(tmp_path: Path) -> None:
    saved = tmp_path / "my-dev-set"
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"):
        write_parquet(saved / "data" / f"{name}.parquet", [foreign(1)])
    write_parquet(saved / "default" / "test" / "0000.parquet", [foreign(2)])
    convert("mentions", saved, "--to", tmp_path / "own", *MAPPED)
    splits = [row["split"] for row in converted(tmp_path / "own")]
    assert splits == ["train", "train", "valid", "test"]


def test_splits_from_a_column_or_the_option(tmp_path: Path) -> None:
    names = ["Training", "dev", "VAL", "test", "train"]
    source = tmp_path / "test.csv"
    write_csv(source, [foreign(i, part=name) for i, name in enumerate(names)])
    to = ("--to", tmp_path / "own", "--replace", *MAPPED)
    convert("mentions", source, *to, "--split-column", "part")
    splits = [row["split"] for row in converted(tmp_path / "own")]
    assert splits == ["train", "valid", "valid", "test", "train"]
    convert("mentions", source, *to, "--split", "valid")
    assert {row["split"] for row in converted(tmp_path / "own")} == {"valid"}
    convert("mentions", source, *to)
    assert {row["split"] for row in converted(tmp_path / "own")} == {"test"}


def test_a_saved_hugging_face_data_set(tmp_path: Path) -> None:
    """Folders as `DatasetDict.save_to_disk` writes them, with a result of `map` that is none of it."""
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("form", pa.string()), ("text", pa.string()), ("image", image)])
    for split in ("train", "validation", "test"):
        for name in ("data-00000-of-00001", "cache-1a2b"):
            row = {"form": split, "text": name, "image": {"bytes": drawing("PNG"), "path": None}}
            write_arrow(tmp_path / "hf" / split / f"{name}.arrow", [row], schema)
        (tmp_path / "hf" / split / "state.json").write_text("{}")
    convert("mentions", tmp_path / "hf", "--to", tmp_path / "own", *MAPPED, "--map", "image=image")
    rows = converted(tmp_path / "own")
    assert [(row["surface_form"], row["split"]) for row in rows] == [
        ("test", "test"),
        ("train", "train"),
        ("validation", "valid"),
    ]
    assert [row["image"] for row in rows] == [f"images/mentions/m{i}.png" for i in (1, 2, 3)]


def test_images_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    contents = [drawing("PNG"), drawing("JPEG"), drawing("GIF", 4)]
    rows: Table = [
        {"qid": "Q1", "name": "one", "images": [{"bytes": contents[0], "path": "x.jpg"}]},
        {"qid": "a/b é", "name": "two", "images": [{"bytes": c} for c in contents[1:]]},
        {"qid": "Q3", "name": "a path", "images": [{"bytes": None, "path": "mine/y.png"}]},
        {"qid": "Q4", "name": "none", "images": None},
    ]
    schema = pa.schema([("qid", pa.string()), ("name", pa.string()), ("images", pa.list_(image))])
    source = write_parquet(tmp_path / "kb.parquet", rows, schema)
    convert("entities", source, "--to", tmp_path / "own")
    assert [row.get("images") for row in converted(tmp_path / "own", "entities")] == [
        ["images/entities/Q1.png"],
        ["images/entities/a%2Fb%20%C3%A9-1.jpg", "images/entities/a%2Fb%20%C3%A9-2.gif"],
        ["mine/y.png"],
        [],
    ]
    assert "  images written: 3\n" in capsys.readouterr().out
    splits = [mention(f"m{i}", s, gold_qid="Q1") for i, s in enumerate(("train", "valid", "test"))]
    write_jsonl(tmp_path / "own" / "mentions.jsonl", splits)
    entities = read_dataset(tmp_path / "own", "own").entities
    found = [(tmp_path / "own" / name).read_bytes() for e in entities[:2] for name in e.images]
    assert found == contents


def test_values_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = ("mention_id", "surface_form", "context", "gold_qid", "sentence_id")
    values = [(7, 3.0, 0.5, None, 12.0), (8, 4.0, 1.5, "Q3757", None)]
    rows: Table = [dict(zip(keys, row, strict=True)) for row in values]
    source = write_parquet(tmp_path / "train.parquet", rows)
    convert("mentions", source, "--to", tmp_path / "own")
    first, second = converted(tmp_path / "own")
    assert [first.get(key) for key in keys] == ["7", "3", "0.5", None, "12"]
    assert "gold_qid" not in first
    assert "sentence_id" not in second
    lists = write_parquet(tmp_path / "test.parquet", [foreign(1) | {"form": ["a"]}])
    said = refused(capsys, "mentions", lists, "--to", tmp_path / "other", *MAPPED)
    assert 'test.parquet, row 1, column `form`: must be text, found ["a"]' in said


def test_a_data_frame_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "form": ["Java", "Bali"],
            "context": ["Java.", "Bali."],
            "gold_qid": ["Q3757", None],
            "sentence_id": [7, np.nan],
            "split": "dev",
        }
    )
    make([Source.of_frame(frame)], Wish("mentions", {"surface_form": "form"}), tmp_path)
    assert converted(tmp_path) == [
        mention("m1", "valid", context="Java.", sentence_id="7"),
        {"mention_id": "m2", "surface_form": "Bali", "context": "Bali.", "split": "valid"},
    ]
    listed = pd.DataFrame(
        {"qid": ["Q1"], "name": ["one"], "images": [np.array(["a.png", "b.png"])]}
    )
    make([Source.of_frame(listed)], Wish("entities", {}), tmp_path)
    assert converted(tmp_path, "entities")[0]["images"] == ["a.png", "b.png"]


def test_what_a_row_lacks_is_said_by_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [foreign(1), foreign(2, form=None), foreign(3, text=None)]
    source = write_parquet(tmp_path / "train.parquet", rows)
    assert convert("mentions", source, "--to", tmp_path / "own", *MAPPED) == 1
    said = capsys.readouterr().out
    assert "mentions.jsonl, row 2: key `surface_form` is missing" in said
    assert "mentions.jsonl, row 3: key `context` is missing" in said
    assert "no mention has split valid" in said
    assert "entities are still to come" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            (),
            "no column for `surface_form`, `context`, `split`; columns: form, text, gold_qid; "
            "say --map surface_form=",
        ),
        ((*MAPPED,), "no column for `split`; columns: .*--split train, valid or test"),
        ((*MAPPED, "--map", "image=photo"), "no column `photo` (wanted for `image`); columns:"),
        (
            (*MAPPED, "--map", "pic=form"),
            "--map pic=form: no such key; known: mention_id, surface_form",
        ),
        (("--map", "surface_form"), "--map surface_form: write KEY=COLUMN"),
        ((*MAPPED, "--map", "surface_form=text"), "`surface_form` is mapped already to form"),
        (
            (*MAPPED, "--map", "word=form"),
            "--map word=form: no such key; it is called surface_form now",
        ),
        ((*MAPPED, "--split-column", "gone"), "no column `gone` (wanted for `split`)"),
    ],
)
def test_columns_that_are_not_there(
    tmp_path: Path,
    options: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_csv(tmp_path / "rows.csv", [foreign(1)])
    said = refused(capsys, "mentions", tmp_path / "rows.csv", "--to", tmp_path / "own", *options)
    assert all(part in said for part in message.split(".*")), said
    assert not (tmp_path / "own").exists()


def test_sources_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = ("--to", tmp_path / "own")
    (tmp_path / "mixed").mkdir()
    for name in ("mixed/a.csv", "mixed/b.jsonl", "x.xlsx", "cut.parquet"):
        (tmp_path / name).write_text("form\n")
    for source, message in {
        "gone.csv": "gone.csv: no such file or folder",
        "mixed": "found .csv and .jsonl; name the files one by one",
        "x.xlsx": "x.xlsx: unknown ending; known: .csv, .tsv",
        "cut.parquet": "cut.parquet: not a whole parquet file",
    }.items():
        assert message in refused(capsys, "mentions", tmp_path / source, *to)


def test_a_table_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = write_own(tmp_path / "own", entities=two_entities())
    before = sha256_of(own / "mentions.jsonl")
    write_csv(tmp_path / "train.csv", [foreign(1)])
    words = ("mentions", tmp_path / "train.csv", "--to", own, *MAPPED)
    assert "mentions.jsonl: is there already; remove it, or say --replace" in refused(
        capsys, *words
    )
    assert sha256_of(own / "mentions.jsonl") == before
    write_csv(own / "mentions.csv", [foreign(1)])
    convert(*words, "--replace")
    assert len(converted(own)) == 1
    assert not (own / "mentions.csv").exists()


@pytest.mark.parametrize("replace", [(), ("--replace",)])
def test_a_failed_conversion_leaves_everything_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], replace: tuple[str, ...]
) -> None:
    good = {"bytes": drawing("PNG")}
    rows = [foreign(1, image=good), foreign(2, image={"bytes": b"no image"})]
    rows.append(foreign(3, image={"bytes": b"neither"}))
    source, own = write_parquet(tmp_path / "train.parquet", rows), tmp_path / "own"
    if replace:
        first = write_parquet(tmp_path / "test.parquet", [foreign(1, image=good)])
        convert("mentions", first, "--to", own, *MAPPED)
    before = {file: file.read_bytes() for file in own.rglob("*") if file.is_file()}
    said = refused(capsys, "mentions", source, "--to", own, *MAPPED, *replace)
    assert "row 2: 8 bytes that are no image of a known kind (BMP, GIF, " in said
    assert "row 3: 7 bytes" in said
    assert {file: file.read_bytes() for file in own.rglob("*") if file.is_file()} == before
    assert not list(own.glob(".*"))


def test_images_of_ones_own_are_not_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "own" / "images" / "mentions" / "holiday.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(drawing("PNG"))
    source = write_parquet(tmp_path / "train.parquet", [foreign(1, image=drawing("PNG"))])
    said = refused(capsys, "mentions", source, "--to", tmp_path / "own", *MAPPED)
    assert "images/mentions: is there already" in said
    assert mine.exists()
    assert not (tmp_path / "own" / "mentions.jsonl").exists()


def test_a_broken_source_is_said_row_by_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.csv").write_text("form,text\na,b\nc\nd,e,f\n", "utf-8")
    said = refused(capsys, "mentions", tmp_path / "train.csv", "--to", tmp_path / "own", *MAPPED)
    assert "train.csv, row 3: 1 cells" in said
    assert "train.csv, row 4: 3 cells" in said
