"""Small raw folders that the tests write and then spoil."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Table = list[dict[str, Any]]


def mention(mention_id: str, split: str = "train", **values: Any) -> dict[str, Any]:
    """A mention row of our own format that is legal unless `values` spoil it."""
    row = {
        "mention_id": mention_id,
        "surface_form": "Java",
        "context": "Java is warm.",
        "split": split,
    }
    return row | {"gold_qid": "Q3757"} | values


def three_mentions() -> Table:
    """One mention in each split."""
    return [mention("m1"), mention("m2", "valid"), mention("m3", "test")]


def two_entities() -> Table:
    """A knowledge base of the island and the language."""
    return [{"qid": "Q3757", "name": "Java"}, {"qid": "Q251", "name": "Java", "attributes": "code"}]


def write_jsonl(path: Path, rows: Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def write_csv(path: Path, rows: Table, encoding: str = "utf-8") -> None:
    """A .csv file, or a .tsv file with tabs in the place of commas."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, header, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_own(folder: Path, mentions: Table | None = None, entities: Table | None = None) -> Path:
    """A folder in our own format."""
    write_jsonl(folder / "mentions.jsonl", three_mentions() if mentions is None else mentions)
    write_jsonl(folder / "entities.jsonl", two_entities() if entities is None else entities)
    return folder


def record(name: str, answer: Any = "Q1", **values: Any) -> dict[str, Any]:
    """A MELBench record with one mention, or with several if `answer` and the others are lists."""
    base = {"id": name, "sentence": f"About {name}.", "mentions": "M", "entities": "Title"}
    return base | {"answer": answer} | values


def write_melbench(folder: Path, records: Table | None = None, **files: Any) -> Path:
    """A folder in MELBench's format; `files` replaces qid2abs, splits, or adds qid2ne."""
    rows = records if records is not None else [record("a"), record("b"), record("c")]
    contents = {
        "data": {row["id"]: row for row in rows},
        "qid2abs": {"Q1": "Sex: male."},
        "splits": {"train": ["a"], "dev": ["b"], "test": ["c"]},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for stem, content in (contents | files).items():
        (folder / f"{stem}.json").write_text(json.dumps(content), "utf-8")
    return folder


def image(folder: Path, name: str, content: bytes = b"image") -> str:
    """A file that stands for an image; readers look at names only."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return name
