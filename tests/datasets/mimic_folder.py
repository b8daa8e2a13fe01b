"""A small folder as the MIMIC release unpacks it, with the oddities that its users meet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.datasets.folders import Table, image

FILES = {"train": "LakeMEL_train", "dev": "LakeMEL_dev", "test": "LakeMEL_test"}


def entity(qid: str, number: int = 0, **values: Any) -> dict[str, Any]:
    """A row of kb_entity.json that is legal unless `values` spoil it."""
    row = {"id": number, "qid": qid, "entity_name": f"Name of {qid}", "attr": "Sort: lake."}
    return row | {"image_list": [], "type": "entity"} | values


def record(given_id: Any, answer: Any = "Q1", **values: Any) -> dict[str, Any]:
    """A record of a split that is legal unless `values` spoil it."""
    row = {"id": given_id, "sentence": f"Boats on Lake {given_id}.", "mentions": "Lake"}
    return row | {"entities": "Name of Q1", "answer": answer, "imgPath": ""} | values


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")


def write_mimic(
    folder: Path,
    train: Table | None = None,
    kb: Table | None = None,
    *,
    names: dict[str, str] = FILES,
) -> Path:
    """A folder whose dev and test splits hold one record each; qid2id.json follows the KB."""
    rows = [entity("Q1", 0), entity("Q2", 1)] if kb is None else kb
    write_json(folder / "kb_entity.json", rows)
    write_json(folder / "qid2id.json", {"nil": -1} | {row["qid"]: row["id"] for row in rows})
    splits = {"train": [record("a")] if train is None else train}
    splits |= {"dev": [record("b")], "test": [record("c")]}
    for split, records in splits.items():
        write_json(folder / f"{names[split]}.json", records)
    return folder


def write_odd_mimic(folder: Path, mention_folder: str = "mention_image") -> Path:
    """All oddities at once; the tests say what each is read as."""
    train = [
        record(
            7, "Q1", sentence="Le lac Léman gèle.", mentions="L%C3%A9man", imgPath="m/Léman.png"
        ),
        record(7, "nil", sentence="Le lac Léman gèle.", mentions="lac", imgPath="m/Léman.png"),
        record(
            "8", ["Q2", "Q9"], mentions=["Boats", "Ship"], entities=["A", "B"], imgPath="no.jpg"
        ),
        record("9", "Q2", desc=" Lake of the Alps. ", imgPath="St.%20Paul.of.x.jpg"),
        record("10", "Q2", desc="", imgPath=None),
    ]
    kb = [
        entity("Q1", 0, entity_name="Lac%20L%C3%A9man", image_list=["Q1_0.jpg", "Q1%3F.png"]),
        entity("Q2", 1, image_list=["Q2_0.jpg", "Q2_0.jpg", "Q2_9.jpg", "Q2_0.jpeg"]),
        entity("Q2", 1, image_list=["Q2_0.jpg", "Q2_0.jpg", "Q2_9.jpg", "Q2_0.jpeg"]),
        without(entity("Q3", 2, desc="Sort: pond.", entity_name="", image_list=""), "attr"),
    ]
    write_mimic(folder, train, kb)
    # macOS unpacks accents as two characters each.
    image(folder, f"{mention_folder}/Le\u0301man.jpg")
    image(folder, f"{mention_folder}/St.jpg")
    for name in ("Q1_0.jpg", "Q1?.png", "Q2_0.jpg"):
        image(folder, f"kb_image/{name}")
    return folder
