"""From a list of items to images of them, named in a data set's entities.jsonl."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.entities import ITEMS as WHOLE_ITEMS
from mmoe.wikidata.api.entities import entities_of, item_of
from mmoe.wikidata.api.pace import CLOCK
from mmoe.wikidata.entity import is_qid
from mmoe.wikidata.images.collect import collect
from mmoe.wikidata.images.folder import check_place, put_into
from mmoe.wikidata.images.infos import check_width
from mmoe.wikidata.knowledge.lists import json_rows, read_ids, read_qids
from mmoe.wikidata.knowledge.write import ENTITIES, ITEMS
from mmoe.wikidata.query import images_in_index

# Item -> its file on Commons, None if it has none; items that are not known are absent.
Names = dict[str, str | None]

API, COMMONS = "api", "https://commons.wikimedia.org/w/api.php"


@dataclass(frozen=True)
class ImageRequest:
    """What a user asks for.

    Attributes:
        items: a file of item ids, one a line, or a data set's entities.jsonl.
        out: gets images/ and licences.jsonl.
        width: in pixels; one that Commons serves.
        source: what knows the items' images: a label index, a knowledge base's items.jsonl, or `api`; None
            for items.jsonl beside the items, or else `api`.
        into: a table that gets the images; None for the items, if they are an entities.jsonl.
    """

    items: Path
    out: Path
    width: int = 330
    source: str | None = None
    into: Path | None = None


def add_images(request: ImageRequest, wikidata: ApiSettings, commons: ApiSettings) -> list[str]:
    """Fetches the images of items and names them in their table.

    Returns:
        What became of each item and image, in lines for the user.
    Raises:
        WikidataError: if a file or the width is wrong, or a server refuses us.
    """
    check_width(request.width)
    into = request.into
    if into is None and request.items.name == ENTITIES:
        into = request.items
    if into is not None:
        check_place(into, request.out)
    qids, counts = _items(request.items)
    names = _names(request, qids, wikidata)
    known = {qid: name for qid, name in names.items() if name is not None}
    counts |= {
        "items not known": len(qids) - len(names),
        "items without an image": len(names) - len(known),
    }
    found = collect(known, request.out, request.width, commons)
    lines = [f"{request.out}: {len(found.rows):,} of {len(qids):,} items have an image"]
    lines += [f"  {name}: {number:,}" for name, number in (counts | found.counts).items()]
    if into is not None:
        paths = {qid: row["path"] for qid, row in found.rows.items()}
        number = put_into(into, request.out, paths)
        lines.append(f"{into}: {number:,} rows name an image of these")
    return lines


def _items(file: Path) -> tuple[list[str], dict[str, int]]:
    """The item ids of a file; a data set may also hold entities that are not Wikidata's."""
    if file.suffix != ".jsonl":
        return list(read_qids(file)), {}
    names = list(dict.fromkeys(text for _, text in read_ids(file)))
    qids = [name for name in names if is_qid(name)]
    if not qids:
        raise WikidataError(f"{file}: holds no item id, such as Q42")
    return qids, {"entities that are no item of Wikidata": len(names) - len(qids)}


def _names(request: ImageRequest, qids: Sequence[str], wikidata: ApiSettings) -> Names:
    beside = request.items.with_name(ITEMS)
    source = request.source or (str(beside) if beside.is_file() else API)
    if source == API:
        with Api(wikidata, f"{len(qids):,} ids of items", CLOCK) as api:
            return names_from_api(api, qids)
    if Path(source).is_dir():
        return images_in_index(Path(source), qids)
    return names_from_table(Path(source), qids)


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
    """The images that Wikidata's API tells."""
    found = ((qid, item_of(entity, api)) for qid, entity in entities_of(api, WHOLE_ITEMS, qids))
    return {qid: item.image for qid, item in found if item is not None}
