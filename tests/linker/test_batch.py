"""`mmoe batch`: every row once, whatever is wrong with others and however often the run is killed."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mmoe import Linker
from mmoe.cli import main
from mmoe.errors import DataError
from mmoe.linker import batch as batches
from mmoe.linker.batch import Batch, link_table

from tests.imports import ROOT

MMOE = [sys.executable, "-m", "mmoe"]
FORMS = ("Mercury", "Java", "Tesla", "Jaguar", "Amazon")


@pytest.fixture(scope="module")
def bundle(built: Path) -> Path:
    return built / "data/bundles/tiny"


@pytest.fixture(scope="module")
def linker(bundle: Path) -> Linker:
    return Linker.from_pretrained(bundle, device="cpu")


def rows(number: int) -> list[dict[str, Any]]:
    return [
        {"mention_id": f"m{i}", "surface_form": FORMS[i % 5], "context": f"{FORMS[i % 5]}, no. {i}"}
        for i in range(number)
    ]


def write(path: Path, some: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pd.DataFrame(some).to_parquet(path)
    elif path.suffix == ".csv":
        pd.DataFrame(some).to_csv(path, index=False)
    else:
        path.write_text("".join(f"{json.dumps(row)}\n" for row in some))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("source", ["in.jsonl", "in.csv", "in.parquet"])
@pytest.mark.parametrize("out", ["out.jsonl", "out.csv", "out.parquet"])
def test_every_form_of_table_gives_what_the_linker_gives(
    source: str, out: str, linker: Linker, tmp_path: Path
) -> None:
    some = rows(40)
    wanted = [linker.link(r["surface_form"], r["context"]) for r in some]
    batch = Batch(write(tmp_path / source, some), tmp_path / out, tmp_path)
    told: list[int] = []
    counts = link_table(linker, batch, "it", told.append)
    assert (counts.linked, counts.rejected, sum(told)) == (40, 0, 40)
    if out.endswith("jsonl"):
        found = read(batch.out)
        assert [row["mention_id"] for row in found] == [row["mention_id"] for row in some]
        assert [[link["qid"] for link in row["links"]] for row in found] == [
            [link.qid for link in result] for result in wanted
        ]
    elif out.endswith("csv"):
        with batch.out.open(newline="") as stream:
            table = list(csv.DictReader(stream))
        assert [row["qid"] for row in table] == [result[0].qid for result in wanted]
        assert [row["qids"].split("|") for row in table] == [[x.qid for x in r] for r in wanted]
    else:
        table = pq.read_table(batch.out).to_pylist()
        chances = [row["probability"] for row in table]
        assert chances == pytest.approx([r[0].probability for r in wanted], rel=1e-3)
    assert {path.name for path in tmp_path.iterdir()} == {source, out}


def test_bad_rows_go_aside_with_reasons(linker: Linker, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    lines = [
        *(json.dumps(row) for row in rows(2)),
        "{",
        json.dumps({"context": "no form"}),
        json.dumps({"surface_form": " "}),
        json.dumps({"surface_form": "Java", "image": "gone.png"}),
        json.dumps({"surface_form": "Java", "image": "broken.png"}),
        json.dumps({"surface_form": "Java", "context": 3}),
        json.dumps({"surface_form": "Java", "context": "x" * 1_000_001}),
        json.dumps(rows(3)[-1]),
    ]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(lines))
    batch = Batch(source, tmp_path / "out.jsonl", tmp_path)
    counts = link_table(linker, batch, "it", lambda _: None)
    assert (counts.linked, counts.rejected) == (3, 7)
    assert [row["row"] for row in read(batch.out)] == [1, 2, 10]
    reasons = [row["error"] for row in read(batch.rejected)]
    for reason, said in zip(
        reasons,
        [
            "row 3: not valid JSON",
            "row 4: key `surface_form` is missing",
            "row 5, key `surface_form`: is empty",
            "row 6: ",
            "row 7: ",
            "row 8, key `context`: must be text",
            "row 9: context has 1,000,001 characters",
        ],
        strict=True,
    ):
        assert said in reason


def test_what_stands_in_the_way_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.jsonl", rows(1))
    for words, said in [
        (("gone.csv", "out.csv"), r"gone.csv: no such file; name a table of mentions"),
        ((str(source), "out.xlsx"), "out.xlsx: unknown ending; known: .jsonl, .csv, .parquet"),
        ((str(source), str(source)), "in.jsonl: is there already; remove it"),
    ]:
        assert main(["batch", "nowhere", *words]) == 1
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("in.csv", "word,sentence\nJava,Java is an island.\n", "column `surface_form` is missing"),
        ("in.csv", "surface_form;context\nJava;x\n", "separated by semicolons"),
        ("in.csv", "surface_form\n", "in.csv: holds no row"),
        ("in.jsonl", "", "in.jsonl: holds no row"),
        ("in.jsonl", "{\n", "in.jsonl, row 1: not valid JSON"),
    ],
)
def test_a_table_without_mentions_is_told_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["batch", "nowhere", str(tmp_path / name), str(tmp_path / "out.jsonl")]) == 1
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_where_no_row_can_be_linked_there_are_no_results(linker: Linker, tmp_path: Path) -> None:
    batch = Batch(write(tmp_path / "in.jsonl", [{}, {}]), tmp_path / "out.jsonl", tmp_path)
    counts = link_table(linker, batch, "it", lambda _: None)
    assert (counts.linked, counts.rejected) == (0, 2)
    assert "row 1: key `surface_form` is missing" in counts.reason
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", batch.rejected.name}


def test_unfinished_work_of_another_run_is_not_gone_on_with(linker: Linker, tmp_path: Path) -> None:
    batch = Batch(write(tmp_path / "in.jsonl", rows(3)), tmp_path / "out.jsonl", tmp_path)
    batch.journal.write_text('{"source": [1, 2], "bundle": "another", "top_k": 5}\n')
    with pytest.raises(DataError, match="unfinished work with another table, bundle, folder"):
        link_table(linker, batch, "it", lambda _: None)


def test_half_a_line_of_a_killed_run_is_done_again(
    linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = rows(100)
    batch = Batch(write(tmp_path / "in.jsonl", some), tmp_path / "out.jsonl", tmp_path)
    whole = batches._linked
    calls: list[int] = []

    def full(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return whole(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_linked", full)
        with pytest.raises(OSError, match="No space"):
            link_table(linker, batch, "it", lambda _: None)
    with batch.journal.open("a") as stream:
        stream.write('{"row": 65, "links": [{"qid"')
    told: list[int] = []
    assert link_table(linker, batch, "it", told.append).linked == 100
    assert told[0] == 64
    assert [row["row"] for row in read(batch.out)] == [*range(1, 101)]


def test_what_a_full_disk_took_half_of_is_linked_in_the_same_company(
    linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores depend in their last digits on what is linked together: 32 mentions, from the first one on."""
    contexts = ("", " is warm", " lies by the sea", " was seen from afar by all of them")
    some = [row | {"context": row["context"] + contexts[i % 4]} for i, row in enumerate(rows(60))]
    source = write(tmp_path / "in.jsonl", some)
    calm = Batch(source, tmp_path / "calm.jsonl", tmp_path)
    link_table(linker, calm, "it", lambda _: None)
    batch = Batch(source, tmp_path / "out.jsonl", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_publish", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            link_table(linker, batch, "it", lambda _: None)
    lines = batch.journal.read_bytes().splitlines(keepends=True)
    batch.journal.write_bytes(b"".join(lines[:42]))  # a head and 41 mentions
    told: list[int] = []
    link_table(linker, batch, "it", told.append)
    assert told[0] == 32
    assert batch.out.read_bytes() == calm.out.read_bytes()


def test_a_run_that_is_killed_goes_on_with_no_row_twice(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    source, out = write(tmp_path / "in.jsonl", rows(400)), tmp_path / "out.jsonl"
    words = [*MMOE, "batch", str(tmp_path / "bundle"), str(source), str(out), "--device", "cpu"]
    journal = Batch(source, out, tmp_path).journal
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not (journal.exists() and journal.read_bytes().count(b"\n") > 33):
            assert process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert main([*words[3:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"out": str(out), "linked": 400, "rejected": 0}
    assert [row["row"] for row in read(out)] == [*range(1, 401)]
    assert not journal.exists()
