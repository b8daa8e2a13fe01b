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
    """Reads one file, and notes what is wrong or worth a look on the way.

    Attributes:
        name: mentions or entities.
        file: None if the folder holds no such table, or two, or nobody asked for it.
        folder: whose images the rows list.
        problems: what is wrong with either table.
        rows: the row's number of each id, of rows with problems too.
        splits: the split of every row that names one, of rows with problems too.
        absent: (row number, key, name) of each image that is listed but not there.
        images: the first place that lists each image that is there.
        ignored: how many rows hold each unknown key.
    """

    name: str
    file: Path | None
    folder: ImageFolder
    problems: Problems
    rows: dict[str, int] = field(default_factory=dict)
    splits: set[str] = field(default_factory=set)
    absent: list[tuple[int, str, str]] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)

    def read(self, model: type[Model]) -> Iterator[tuple[Model, list[str]]]:
        """Each legal row with those of its images that are there."""
        if self.file is None:
            return
        for row in rows_of(self.file, self.problems):
            values, before = self._values(row), len(self.problems)
            self.ignored.update(values.keys() - model.model_fields.keys())
            self._note_id(row, values)
            if isinstance(split := values.get("split"), str):
                self.splits.add(split)
            found = self._find_images(row, values)
            try:
                valid = model.model_validate(values)
            except ValidationError as error:
                for detail in error.errors(include_url=False):
                    self.problems.add(*explain(detail, row))
                continue
            if len(self.problems) == before:
                yield valid, found
        for name in self.ignored:
            # It is named in the counts, so it must be text that can be written.
            if not is_whole(name):
                line = f"{self.file}: key `{name}` holds half a surrogate pair; rename the key"
                self.problems.add(Kind.CHARACTER, line)

    def _values(self, row: Row) -> dict[str, Any]:
        """The row's values under the keys of today, a list of images as a list."""
        renamed, values = RENAMED[self.name], row.values
        for old in values.keys() & renamed.keys():
            line = (
                f"{self.file}, key `{old}`: is called `{renamed[old]}` now; rename it in every row"
            )
            self.problems.add(Kind.OLD_KEY, line)
            # One problem a table: what the old key holds is looked at, not missed under the new one.
            values = {renamed[old]: values[old]} | {k: v for k, v in values.items() if k != old}
        cell = values.get("images")
        if isinstance(cell, str) and row.file.suffix == ".csv":
            return values | {"images": split_cell(cell)}
        return values

    def _note_id(self, row: Row, values: dict[str, Any]) -> None:
        key = KEYS[self.name].id
        value = values.get(key)
        if not isinstance(value, str) or not value.strip():
            return
        name = value.strip() if key == "qid" else value
        first = self.rows.setdefault(name, row.number)
        if first != row.number:
            self.problems.add(
                Kind.DUPLICATE,
                f"{row.where}: {key} {name!r} stands already in {row.file}, row {first}; "
                "ids must be unique",
            )

    def _find_images(self, row: Row, values: dict[str, Any]) -> list[str]:
        """Of rows with other problems too, so values may still be of any type."""
        key = KEYS[self.name].image
        value, where = values.get(key), f"{row.where}, key `{key}`"
        listed = value if isinstance(value, list) and key == "images" else [value]
        found = []
        for name in listed:
            if not (name and isinstance(name, str) and is_whole(name)):
                continue
            try:
                path = self.folder.find(name, where)
            except DataError as error:
                self.problems.add(Kind.OUTSIDE, str(error))
                continue
            if path is None:
                self.absent.append((row.number, key, name))
            else:
                self.images.setdefault(path, where)
                found.append(path)
        return found

    def ignored_keys(self) -> dict[str, int]:
        """How many rows hold each unknown key, as counts."""
        return {f"ignored_key.{self.name}.{key}": n for key, n in sorted(self.ignored.items())}


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
        | found.mention_table.ignored_keys()
        | found.entity_table.ignored_keys(),
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
    counts = {"missing_entity_images": len(table.absent)} | table.ignored_keys()
    return table.file, found.entities, counts


def entity_table_of(folder: Path) -> Path:
    """The file of a folder's table of entities.

    Raises:
        DataError: if there is none, or two.
    """
    problems = Problems()
    file = _file(folder, "entities", problems)
    problems.raise_any("mend these first")
    assert file is not None
    return file


def read_entity_table(file: Path, images: Path) -> tuple[list[Entity], list[str]]:
    """The rows of one table of entities, whatever it is called, and the names of images that are not there.

    Args:
        images: folder that the rows' images are relative to.
    Raises:
        DataError: as `read_own`.
    """
    problems = Problems()
    table = Table("entities", file, ImageFolder(images), problems)
    entities = [_entity(*row) for row in table.read(EntityRow)]
    problems.raise_any("mend these first")
    return entities, [name for _, _, name in table.absent]


def read_tables(folder: Path, names: Collection[str] = tuple(ROWS)) -> OwnTables:
    """Reads the named tables to their ends, whatever is wrong with them."""
    problems, images = Problems(), ImageFolder(folder)
    mention_table, entity_table = (
        Table(name, _file(folder, name, problems) if name in names else None, images, problems)
        for name in ROWS
    )
    mentions = [_mention(*row) for row in mention_table.read(MentionRow)]
    entities = [_entity(*row) for row in entity_table.read(EntityRow)]
    return OwnTables(mention_table, entity_table, mentions, entities, problems)


def _choices(folder: Path, name: str) -> list[Path]:
    return [path for ending in ENDINGS if (path := folder / f"{name}{ending}").is_file()]


def _file(folder: Path, name: str, problems: Problems) -> Path | None:
    """The file of a table; None and a problem if there is none, or two."""
    found = _choices(folder, name)
    if len(found) == 1:
        return found[0]
    problems.add(
        Kind.TABLE,
        f"{folder}: holds {name}.jsonl and {name}.csv; remove one of them"
        if found
        else f"{folder}: no {name}.jsonl or {name}.csv; add one of them",
    )
    return None


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
