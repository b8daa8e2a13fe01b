"""The label index: names of Wikidata items in Parquet, asked for all words of a data set at once.

items.parquet  qid, label, description, sitelinks
names.parquet  name (normalised), qid, kind (label, else alias); a name stands once for an item; sorted
source.json    what the index was built from; written last, so it stands for a whole index
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.errors import WikidataError, one_line
from mmoe.files import sha256_of, whole_file, write_json
from mmoe.names import normalise_name
from mmoe.records import Candidate, Mention
from mmoe.wikidata.dump import Item, read_items
from mmoe.wikidata.hits import Hit, candidates_of, distinct_words

ITEMS, NAMES, SOURCE = "items.parquet", "names.parquet", "source.json"
ROW_GROUP = 65536  # rows; names are sorted, so a reader skips the groups that can't hold a word

_ITEM_SCHEMA = pa.schema(
    [
        pa.field("qid", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("description", pa.string()),
        pa.field("sitelinks", pa.int64()),
    ]
)
_NAME_SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("name", "qid", "kind")]
)
_QUERY = """
SELECT
    word,
    qid,
    coalesce(label, ''),
    coalesce(description, ''),
    kind,
    sitelinks
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY word
        ORDER BY kind = 'label' DESC, sitelinks DESC NULLS LAST, CAST(substr(qid, 2) AS HUGEINT)
    ) AS place
    FROM words
    JOIN read_parquet($names) AS names ON name = word
    JOIN read_parquet($items) AS items USING (qid)
)
WHERE place <= $max_candidates
ORDER BY word, place
"""


def build_label_index(dump: Path, language: str, folder: Path) -> dict[str, object]:
    """Writes the label index of a dump slice.

    Args:
        dump: slice in the dump's line format, plain or .gz.
        language: of labels, aliases and descriptions; `mul` stands in.
        folder: is made; an index that it holds is replaced.
    Returns:
        What source.json says: file, its SHA-256, language, numbers of items and names.
    Raises:
        WikidataError: if the slice is missing or broken, or holds an item twice or none at all.
    """
    (folder / SOURCE).unlink(missing_ok=True)
    items = {item.qid: item for item in _unique(dump, read_items(dump, language))}
    if not items:
        raise WikidataError(f"{dump}: holds no item; fetch a slice with items, one a line")
    names = _names(items.values())
    _write(folder / ITEMS, _ITEM_SCHEMA, [_item_row(item) for item in items.values()])
    _write(folder / NAMES, _NAME_SCHEMA, names)
    source: dict[str, object] = {
        "source": "index",
        "file": dump.name,
        "sha256": sha256_of(dump),
        "language": language,
        "items": len(items),
        "names": len(names),
    }
    write_json(folder / SOURCE, source)
    return source


def find_in_index(
    folder: Path, mentions: Sequence[Mention], max_candidates: int
) -> list[Candidate]:
    """The items that bear a mention's word as label or alias, for all mentions in one join.

    Labels come before aliases, then items with more Wikipedia articles, then smaller numbers; an item
    that has the word as both counts as label.

    Raises:
        WikidataError: if the folder holds no whole label index.
    """
    if not (folder / SOURCE).is_file():
        raise WikidataError(f"{folder}: no whole label index; run the stage retrieve again")
    values = {
        "names": str(folder / NAMES),
        "items": str(folder / ITEMS),
        "max_candidates": max_candidates,
    }
    hits_by_word: dict[str, list[Hit]] = {}
    try:
        with duckdb.connect() as database:
            database.register(
                "words", pa.table({"word": pa.array(distinct_words(mentions), pa.string())})
            )
            rows = database.execute(_QUERY, values).fetchall()
    except duckdb.Error as error:
        raise WikidataError(
            f"{folder}: can't be queried ({one_line(error)}); delete it and run the stage retrieve again"
        ) from None
    for word, *fields in rows:
        hits_by_word.setdefault(word, []).append(Hit(*fields))
    return candidates_of(mentions, hits_by_word)


def _unique(dump: Path, items: Iterable[Item]) -> Iterable[Item]:
    seen: set[str] = set()
    for item in items:
        if item.qid in seen:
            raise WikidataError(f"{dump}: item {item.qid} stands twice; keep one of its lines")
        seen.add(item.qid)
        yield item


def _item_row(item: Item) -> tuple[str, str | None, str | None, int | None]:
    return item.qid, item.label, item.description, item.sitelinks


def _names(items: Iterable[Item]) -> list[tuple[str, str, str]]:
    """(normalised name, qid, kind), sorted; a name that an item has as label is no alias of it."""
    rows = set()
    for item in items:
        label = None if item.label is None else normalise_name(item.label)
        aliases = {normalise_name(alias) for alias in item.aliases} - {label}
        rows |= {(alias, item.qid, "alias") for alias in aliases if alias}
        if label:
            rows.add((label, item.qid, "label"))
    return sorted(rows)


def _write(path: Path, schema: pa.Schema, rows: Sequence[tuple[str | int | None, ...]]) -> None:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
    ]
    with whole_file(path) as temporary:
        pq.write_table(
            pa.Table.from_arrays(arrays, schema=schema),
            temporary,
            compression="zstd",
            row_group_size=ROW_GROUP,
        )
