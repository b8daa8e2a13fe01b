"""Format `own`, the sample's and the one to bring your own data in: two tables and images.

    mentions.jsonl | mentions.csv    mention_id, surface_form, context, split (train, valid, test);
                                     optional sentence_id (mention_id if absent), image,
                                     gold_qid (null, "" or "nil": the mention is not in Wikidata),
                                     description, evidence
    entities.jsonl | entities.csv    qid, name; optional attributes, images
    images                           anywhere below the folder, named relative to it

`own_schema.py` holds the keys' types and rules. Other keys are ignored and counted; those of earlier versions
are problems that name the new ones. In CSV `images` is one cell, names separated by a bar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from mmoe.datasets.images import ImageFolder
from mmoe.datasets.own_schema import RENAMED, ROWS, EntityRow, MentionRow, explain
from mmoe.datasets.problems import Kind, Problems
from mmoe.datasets.raw import RawDataset, dataset_of, gold_of
from mmoe.datasets.rows import Row, is_whole, rows_of, split_cell
from mmoe.errors import DataError
from mmoe.records import Entity, Mention

ENDINGS = (".jsonl", ".csv")


class TableKeys(NamedTuple):
    """Which key of a table names the row, and which one its images."""

    id: str
    image: str


KEYS = {"mentions": TableKeys("mention_id", "image"), "entities": TableKeys("qid", "images")}

Model = TypeVar("Model", MentionRow, EntityRow)


@dataclass
class Table:
    """What was read of one file, and what was noticed on the way.

    Attributes:
        name: mentions or entities.
        file: None if the folder holds no such table, or two, or nobody asked for it.
        rows: the row's number of each id, of rows with problems too.
        splits: the split of every row that names one, of rows with problems too.
        absent: (row number, key, name) of each image that is listed but not there.
        images: the first place that lists each image that is there.
        ignored: how many rows hold each unknown key.
    """

    name: str
    file: Path | None
    rows: dict[str, int] = field(default_factory=dict)
    splits: set[str] = field(default_factory=set)
    absent: list[tuple[int, str, str]] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)


@dataclass
class OwnTables:
    """Both tables of a folder: the rows that are right as records, and every problem of the others."""

    mention_table: Table
    entity_table: Table
    mentions: list[Mention]
    entities: list[Entity]
    problems: Problems


def recognises(folder: Path) -> bool:
    """Whether the folder holds one of the two tables."""
    return any(_choices(folder, stem) for stem in ROWS)


def read_own(folder: Path) -> RawDataset:
    """Reads a folder in our own format.

    Raises:
        DataError: naming file, row, key and remedy of everything that is wrong, one problem a line.
    """
    found = read_tables(folder)
    found.problems.raise_any(f"`mmoe check {folder}` lists all")
    tables = (found.mention_table, found.entity_table)
    return dataset_of(
        "own",
        found.mentions,
        found.entities,
        {
            "missing_mention_images": len(found.mention_table.absent),
            "missing_entity_images": len(found.entity_table.absent),
        }
        | _ignored_keys(found.mention_table)
        | _ignored_keys(found.entity_table),
        (table.file for table in tables),
    )


def read_entities(folder: Path) -> tuple[Path, list[Entity], dict[str, int]]:
    """The file of the table of entities that stands beside mentions in another format, its rows, and counts.

    Raises:
        DataError: as `read_own`.
    """
    found = read_tables(folder, ("entities",))
    found.problems.raise_any("mend these first")
    table = found.entity_table
    assert table.file is not None
    counts = {"missing_entity_images": len(table.absent)} | _ignored_keys(table)
    return table.file, found.entities, counts


def _ignored_keys(table: Table) -> dict[str, int]:
    return {f"ignored_key.{table.name}.{key}": n for key, n in sorted(table.ignored.items())}


def read_tables(folder: Path, names: Collection[str] = tuple(ROWS)) -> OwnTables:
    """Reads the named tables to their ends, whatever is wrong with them."""
    problems, images = Problems(), ImageFolder(folder)
    mention_table, entity_table = (
        _table(folder, stem, problems) if stem in names else Table(stem, None) for stem in ROWS
    )
    mentions = [_mention(*row) for row in _read(mention_table, MentionRow, images, problems)]
    entities = [_entity(*row) for row in _read(entity_table, EntityRow, images, problems)]
    return OwnTables(mention_table, entity_table, mentions, entities, problems)


def _choices(folder: Path, stem: str) -> list[Path]:
    return [path for ending in ENDINGS if (path := folder / f"{stem}{ending}").is_file()]


def _table(folder: Path, stem: str, problems: Problems) -> Table:
    found = _choices(folder, stem)
    if len(found) == 1:
        return Table(stem, found[0])
    problems.add(
        Kind.TABLE,
        f"{folder}: holds {stem}.jsonl and {stem}.csv; remove one of them"
        if found
        else f"{folder}: no {stem}.jsonl or {stem}.csv; add one of them",
    )
    return Table(stem, None)


def _read(
    table: Table, model: type[Model], images: ImageFolder, problems: Problems
) -> Iterator[tuple[Model, list[str]]]:
    """Each legal row with those of its images that are there."""
    if table.file is None:
        return
    key, known = KEYS[table.name].id, model.model_fields.keys()
    for row in rows_of(table.file, problems):
        values, before = _values(row, table, problems), len(problems)
        for name in values.keys() - known:
            table.ignored[name] += 1
        _note_id(table, row, key, values.get(key), problems)
        if isinstance(split := values.get("split"), str):
            table.splits.add(split)
        found = _find(table, row, values, images, problems)
        try:
            valid = model.model_validate(values)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                problems.add(*explain(detail, row))
            continue
        if len(problems) == before:
            yield valid, found
    for name in table.ignored:
        # It is named in the counts, so it must be text that can be written.
        if not is_whole(name):
            line = f"{table.file}: key `{name}` holds half a surrogate pair; rename the key"
            problems.add(Kind.CHARACTER, line)


def _values(row: Row, table: Table, problems: Problems) -> dict[str, Any]:
    """The row's values under the keys of today, a list of images as a list."""
    renamed, values = RENAMED[table.name], row.values
    for old in values.keys() & renamed.keys():
        line = f"{table.file}, key `{old}`: is called `{renamed[old]}` now; rename it in every row"
        problems.add(Kind.OLD_KEY, line)
        # One problem a table: what the old key holds is looked at, not missed under the new one.
        values = {renamed[old]: values[old]} | {k: v for k, v in values.items() if k != old}
    cell = values.get("images")
    if isinstance(cell, str) and row.file.suffix == ".csv":
        return values | {"images": split_cell(cell)}
    return values


def _note_id(table: Table, row: Row, key: str, value: Any, problems: Problems) -> None:
    if not isinstance(value, str) or not value.strip():
        return
    name = value.strip() if key == "qid" else value
    first = table.rows.setdefault(name, row.number)
    if first != row.number:
        problems.add(
            Kind.DUPLICATE,
            f"{row.where}: {key} {name!r} stands already in {row.file}, row {first}; "
            "ids must be unique",
        )


def _find(
    table: Table,
    row: Row,
    values: dict[str, Any],
    images: ImageFolder,
    problems: Problems,
) -> list[str]:
    """Of rows with other problems too, so values may still be of any type."""
    key = KEYS[table.name].image
    value = values.get(key)
    listed = value if isinstance(value, list) and key == "images" else [value]
    found = []
    for name in listed:
        if not (name and isinstance(name, str) and is_whole(name)):
            continue
        where = f"{row.where}, key `{key}`"
        try:
            path = images.find(name, where)
        except DataError as error:
            problems.add(Kind.OUTSIDE, str(error))
            continue
        if path is None:
            table.absent.append((row.number, key, name))
        else:
            table.images.setdefault(path, where)
            found.append(path)
    return found


def _mention(row: MentionRow, found: list[str]) -> Mention:
    return Mention(
        mention_id=row.mention_id,
        sentence_id=row.sentence_id or row.mention_id,
        surface_form=row.surface_form,
        context=row.context,
        image=found[0] if found else None,
        gold_qid=gold_of(row.gold_qid),
        in_kb=False,
        split=row.split,
        description=row.description or None,
        evidence=row.evidence or None,
    )


def _entity(row: EntityRow, found: list[str]) -> Entity:
    return Entity(
        qid=row.qid.strip(),
        name=row.name,
        attributes=row.attributes or "",
        images=tuple(found),
    )
