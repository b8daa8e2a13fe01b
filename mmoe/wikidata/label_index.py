"""The label index: items and their names in Parquet, whatever they come from.

items/*.parquet  what is known of each item
names/*.parquet  every name in its normal form; a name stands once for an item; sorted over all files
source.json      what the index was built from; written last, so it stands for a whole index
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmoe.errors import WikidataError, one_line
from mmoe.files import read_json, write_json
from mmoe.names import normalise_name
from mmoe.sealed_parquet import check_seal, write_sealed
from mmoe.wikidata.entity import Item, qid_number

ITEMS, NAMES, SOURCE = "items", "names", "source.json"
ONLY_PART = "part-00000.parquet"
ROW_GROUP = 65536  # rows; names are sorted, so a reader skips the groups that can't hold a name

ITEM_SCHEMA = pa.schema(
    [
        pa.field("qid", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("description", pa.string()),
        pa.field("aliases", pa.list_(pa.string()), nullable=False),
        pa.field("instance_of", pa.list_(pa.string()), nullable=False),
        pa.field("image", pa.string()),
        pa.field("sitelinks", pa.int64()),
        pa.field("modified", pa.string()),
    ]
)
# kind: label, else alias; language: the first chosen one in which the item has the name.
NAME_SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("name", "qid", "kind", "language")]
)

ItemRow = tuple[Any, ...]  # as ITEM_SCHEMA
NameRow = tuple[str, str, str, str]  # as NAME_SCHEMA


def item_row(item: Item) -> ItemRow:
    """The item's row of `items`."""
    lists = (list(item.aliases), list(item.instance_of))
    known = (item.qid, item.label, item.description)
    return (*known, *lists, item.image, item.sitelinks, item.modified)


def name_rows(item: Item) -> list[NameRow]:
    """The item's rows of `names`; a name that it has as label is no alias of it."""
    rows: dict[str, NameRow] = {}
    for name in item.names:  # labels come first
        plain = normalise_name(name.text)
        if plain:
            rows.setdefault(plain, (plain, item.qid, name.kind, name.language))
    return list(rows.values())


def table_of(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Rows as a table, typed as the schema says."""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_label_index(
    folder: Path, items: Iterable[Item], source: dict[str, object]
) -> dict[str, object]:
    """Writes the label index of items that fit into memory, one file a table.

    Args:
        folder: is made; an index that it holds is replaced.
        source: what source.json says first; the numbers of items and names are added.
    Returns:
        What source.json says.
    """
    (folder / SOURCE).unlink(missing_ok=True)
    ordered = sorted(items, key=lambda item: qid_number(item.qid))
    names = sorted(row for item in ordered for row in name_rows(item))
    rows = {ITEMS: table_of([item_row(item) for item in ordered], ITEM_SCHEMA)}
    rows[NAMES] = table_of(names, NAME_SCHEMA)
    for table, content in rows.items():
        for stale in (folder / table).glob("*.parquet"):
            stale.unlink()
        write_sealed(folder / table / ONLY_PART, content, row_group_size=ROW_GROUP)
    whole = source | {"items": len(ordered), "names": len(names)}
    write_json(folder / SOURCE, whole)
    return whole


def read_source(folder: Path) -> dict[str, Any]:
    """What a label index was built from.

    Raises:
        WikidataError: if the folder holds no whole label index, or a table is not as it was written.
    """
    if not (folder / SOURCE).is_file():
        raise WikidataError(
            f"{folder}: no whole label index; make one with `mmoe label-index`, or run the stage retrieve "
            "again if it is the stage's own"
        )
    source: dict[str, Any] = read_json(folder / SOURCE)
    for path in sorted(file for table in (ITEMS, NAMES) for file in (folder / table).iterdir()):
        try:
            with path.open("rb") as file:
                check_seal(file, needed=False)  # making one anew takes hours
        except (OSError, ValueError, pa.ArrowException) as error:
            raise WikidataError(
                f"{path}: broken, or of another version ({one_line(error)}); make the label index again"
            ) from None
    return source
