"""Which image an item has: the name of its file on Commons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa

from mmoe.errors import WikidataError, one_line
from mmoe.files import read_text
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.entities import ITEMS as WHOLE_ITEMS
from mmoe.wikidata.api.entities import (
    ask_for_entities,
    batches,
    item_of,
    question_about,
)
from mmoe.wikidata.labels import ITEMS, read_source

# Item -> its file on Commons, null if it has none; items that are not known are absent.
Names = dict[str, str | None]


def names_from_index(folder: Path, qids: Sequence[str]) -> Names:
    """The images that a label index knows.

    Raises:
        WikidataError: if the folder holds no whole label index.
    """
    read_source(folder)
    items = str(folder / ITEMS / "*.parquet")
    query = "SELECT qid, image FROM wanted JOIN read_parquet($items) AS items USING (qid)"
    try:
        with duckdb.connect() as database:
            database.register("wanted", pa.table({"qid": pa.array(qids, pa.string())}))
            return dict(database.execute(query, {"items": items}).fetchall())
    except duckdb.Error as error:
        raise WikidataError(
            f"{folder}: can't be queried ({one_line(error)}); delete it and make it again"
        ) from None


def names_from_table(file: Path, qids: Sequence[str]) -> Names:
    """The images that a knowledge base's items.jsonl knows.

    Raises:
        WikidataError: if a row is no JSON object with `qid` and `image`.
    """
    wanted, names = set(qids), Names()
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            try:
                row = orjson.loads(line)
                qid, name = row["qid"], row["image"]
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise WikidataError(
                    f"{file}, row {number}: must be a JSON object with `qid` and `image`"
                ) from None
            if qid in wanted:
                names[qid] = name
    return names


def names_from_api(api: Api, qids: Sequence[str]) -> Names:
    """The images that Wikidata's API tells.

    Raises:
        NotKeptError, WikidataError: as `Api.ask`.
    """
    groups = batches(qids)
    api.bar.expect(len(groups))
    names = Names()
    for group in groups:
        question = question_about(WHOLE_ITEMS, group, api.settings.languages)
        for qid, entity in ask_for_entities(api, question).items():
            item = item_of(entity, api)
            if item is not None:
                names[qid] = item.image
    return names
