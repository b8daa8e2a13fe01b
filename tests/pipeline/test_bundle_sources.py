"""Entities that are added to a bundle come from tables, slices of the dump and records."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mmoe.errors import DataError
from mmoe.linker.changes import NewEntities
from mmoe.linker.thumbnails import Thumbnails
from mmoe.records import Entity

from pipeline.layout import Layout
from tests.pipeline.bundles import items_of, opened
from tests.pipeline.tiny import write_jsonl

at = Layout("tiny")


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "folder", "records"])
def test_entities_come_from_tables_and_records(
    form: str, bundle: Path, built: Path, tmp_path: Path
) -> None:
    rows = [
        {"qid": "Q900001", "name": "Zorblax", "attributes": "A racing snail."},
        {"qid": "Q900002", "name": "Quibble", "attributes": ""},
    ]
    folder = tmp_path / "mine"
    folder.mkdir()
    sources = {
        "jsonl": folder / "things.jsonl",
        "csv": folder / "things.csv",
        "parquet": folder / "things.parquet",
        "folder": folder,
        "records": [Entity(**row, images=()) for row in rows],
    }
    write_jsonl(folder / ("entities.jsonl" if form == "folder" else "things.jsonl"), rows)
    pd.DataFrame(rows).to_csv(folder / "things.csv", index=False)
    pd.DataFrame(rows).to_parquet(folder / "things.parquet")
    linker = opened(bundle)
    before = len(linker.entities)
    linker.add_entities(sources[form])  # type: ignore[arg-type]
    assert len(linker.entities) == before + 2
    assert linker.link("Zorblax", "Zorblax, a racing snail, won.")[0].qid == "Q900001"


def test_entities_come_from_a_slice_of_the_dump(bundle: Path, built: Path, tmp_path: Path) -> None:
    linker = opened(bundle)
    known = {entity.qid for entity in linker.entities}
    items = [r for r in items_of(built) if r["id"] not in known][:5]
    lines = ",\n".join(json.dumps(item) for item in items)
    (tmp_path / "slice.json").write_text(f"[\n{lines}\n]\n")
    added = linker.add_entities(tmp_path / "slice.json")
    assert {e.qid for e in added.entities} == {item["id"] for item in items}
    linker.save()
    aliases = opened(bundle).engine.kb.files.read_aliases()
    for item in items:
        names = [alias["value"] for alias in item.get("aliases", {}).get("en", ())]
        assert set(names) <= set(aliases.get(item["id"], ()))


def test_images_of_a_table_lie_beside_it(bundle: Path, built: Path, tmp_path: Path) -> None:
    """Whether the folder or a file in it is named; what is not there is told."""
    mine = tmp_path / "mine"
    mine.mkdir()
    entity = next(e for e in opened(bundle).entities if e.images)
    (mine / "photo.png").write_bytes((built / at.raw / entity.images[0]).read_bytes())
    rows = [
        {"qid": "Q900001", "name": "Zorblax", "attributes": "", "images": ["photo.png"]},
        {"qid": "Q900002", "name": "Quibble", "attributes": "", "images": ["gone.png"]},
    ]
    write_jsonl(mine / "entities.jsonl", rows)
    pd.DataFrame(rows).to_parquet(mine / "things.parquet")
    for source in (mine, mine / "entities.jsonl", mine / "things.parquet"):
        linker = opened(bundle)
        added = linker.add_entities(source)
        assert (added.masked, added.missing) == ((), ("gone.png",))
        table = linker.engine.kb.files.thumbnails
        assert table is not None
        assert "Q900001" in Thumbnails(table)


def test_a_slice_is_recognised_by_its_beginning(bundle: Path, built: Path, tmp_path: Path) -> None:
    linker = opened(bundle)
    known = {entity.qid for entity in linker.entities}
    items = [item for item in items_of(built) if item["id"] not in known][:3]
    lines = ",\n".join(json.dumps(item) for item in items)
    (tmp_path / "wikidata.jsonl").write_text(f"[\n{lines}\n]\n")
    assert len(linker.add_entities(tmp_path / "wikidata.jsonl").entities) == 3


def test_columns_of_other_names_are_told_how_to_convert(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,title\nQ1,Zorblax\n")
    with pytest.raises(DataError, match="columns of other names: mmoe convert entities"):
        opened(bundle).add_entities(tmp_path / "mine.csv")


def test_an_image_that_cannot_be_read_is_masked_and_told(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    linker = opened(bundle)
    new = NewEntities((Entity("Q900001", "Zorblax", "", ("broken.png",)),), tmp_path)
    (masked,) = linker.add_entities(new).masked
    assert (masked.image, masked.ids) == ("broken.png", ("Q900001",))
