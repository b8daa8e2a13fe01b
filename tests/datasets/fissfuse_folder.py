"""A small folder in FissFuse's format, with the oddities that its readers meet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from tests.datasets.folders import Table, write_jsonl

PIXELS = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)


def png(colour: str = "navy") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (6, 5), colour).save(stream, "PNG")
    return stream.getvalue()


def stored(content: bytes) -> Any:
    """Bytes as the release stores them: a vector of uint8."""
    return np.frombuffer(content, dtype=np.uint8)


def line(mention_id: Any, answer: Any = "Q1", **values: Any) -> dict[str, Any]:
    """A row of a split that is legal unless `values` spoil it."""
    row = {"mention_id": mention_id, "mentions": "Lake", "sentence": f"Lake {mention_id}."}
    return row | {"answer": answer, "imgPath": ""} | values


def write_archive(path: Path, members: dict[str, Any]) -> Path:
    """An HDF5 file with both groups and these members, by `group/key`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for group in ("entity_image", "mention_image"):
            file.create_group(group)
        for name, value in members.items():
            file[name] = value
    return path


def write_fissfuse(
    folder: Path,
    train: Table | None = None,
    kb: Table | None = None,
    members: dict[str, Any] | None = None,
) -> Path:
    """A folder whose valid and test splits hold one row each."""
    write_jsonl(folder / "LAKE_train.jsonl", [line("a")] if train is None else train)
    write_jsonl(folder / "LAKE_valid.jsonl", [line("b")])
    write_jsonl(folder / "LAKE_test.jsonl", [line("c")])
    rows = [{"id": 0, "qid": "Q1", "name": "Lake Geneva", "desc": "A lake."}] if kb is None else kb
    write_jsonl(folder / "entities.jsonl", rows)
    write_archive(folder / "lake_image.h5", members or {})
    return folder


def write_odd_fissfuse(folder: Path) -> Path:
    """All oddities at once; the tests say what each is read as."""
    train = [
        line("a", imgPath="images/Zoë.Lake.png"),
        line("d", "nil", imgPath="Zo%C3%AB.jpg", sentence="Of boats."),
        line("e", "Q9", mentions="L%C3%A9man", sentence="Zoë on Léman.", imgPath="gone.jpg"),
        {"mention_id": "f", "mentions": "Zoë", "sentence": "Zoë on Léman.", "candidates": ["Q2"]},
        line("g", "Q1", candidates=["Q2", "Q1"], imgPath="full.name.jpg", topic="x"),
    ]
    kb = [
        {"id": 0, "qid": "Q1", "name": "Lake%20Geneva", "desc": "A lake."},
        {"id": 1, "qid": "Q2", "name": ""},
        {"id": 2, "qid": "Q2", "name": ""},
    ]
    members = {
        "mention_image/Zoë": stored(png()),
        "mention_image/full.name": stored(png("red")),
        "entity_image/Q1": PIXELS,
    }
    return write_fissfuse(folder, train, kb, members)
