"""Which image an item has: the name of its file on Commons; None for none, absent if not known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.entities import ITEMS, ask_for_entities, batches, item_of, question_about
from mmoe.wikidata.images.folder import json_rows

Names = dict[str, str | None]


def names_from_table(file: Path, qids: Sequence[str]) -> Names:
    """The images that a knowledge base's items.jsonl knows.

    Raises:
        WikidataError: if a row is no JSON object with `qid` and `image`.
    """
    wanted, names = set(qids), Names()
    for where, _, row in json_rows(file):
        if not {"qid", "image"} <= row.keys():
            raise WikidataError(f"{where}: must be a JSON object with `qid` and `image`")
        if row["qid"] in wanted:
            names[row["qid"]] = row["image"]
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
        question = question_about(ITEMS, group, api.settings.languages)
        for qid, entity in ask_for_entities(api, question).items():
            item = item_of(entity, api)
            if item is not None:
                names[qid] = item.image
    return names
