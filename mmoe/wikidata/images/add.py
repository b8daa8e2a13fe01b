"""From a list of items to images of them, named in a data set's entities.jsonl."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from mmoe.errors import WikidataError
from mmoe.files import atomic_write
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.entities import ITEMS as WHOLE_ITEMS
from mmoe.wikidata.api.entities import entities_of, item_of
from mmoe.wikidata.api.pace import CLOCK
from mmoe.wikidata.entity import is_qid
from mmoe.wikidata.images.collect import IMAGES, collect
from mmoe.wikidata.images.infos import WIDTHS
from mmoe.wikidata.knowledge.request import read_ids, read_qids
from mmoe.wikidata.knowledge.write import ENTITIES, ITEMS
from mmoe.wikidata.query import images_in_index
from mmoe.wikidata.work import json_rows

API, COMMONS = "api", "https://commons.wikimedia.org/w/api.php"


def add_images(
    items: Path,
    out: Path,
    width: int,
    source: str | None,
    into: Path | None,
    wikidata: ApiSettings,
    commons: ApiSettings,
) -> list[str]:
    """Fetches the images of items and names them in their table.

    Args:
        items: a file of item ids, one a line, or a data set's entities.jsonl.
        out: gets images/ and licences.jsonl.
        width: in pixels; one that Commons serves.
        source: what knows the items' images: a label index, a knowledge base's items.jsonl, or `api`; None
            for items.jsonl beside the items, or else `api`.
        into: a table that gets the images; None for the items, if they are an entities.jsonl.
    Returns:
        What became of each item and image, in lines for the user.
    Raises:
        WikidataError: if a file or the width is wrong, or a server refuses us.
    """
    if width not in WIDTHS:
        raise WikidataError(
            f"--width {width}: Commons serves no thumbnails of that width; choose one of "
            f"{', '.join(map(str, WIDTHS))}"
        )
    if into is None and items.name == ENTITIES:
        into = items
    if into is not None:
        check_place(into, out)
    qids, counts = _items(items)
    if source is None:
        beside = items.with_name(ITEMS)
        source = str(beside) if beside.is_file() else API
    names = _names(source, qids, wikidata)
    known = {qid: name for qid, name in names.items() if name is not None}
    counts |= {
        "items not known": len(qids) - len(names),
        "items without an image": len(names) - len(known),
    }
    rows, fetched = collect(known, out, width, commons)
    lines = [f"{out}: {len(rows):,} of {len(qids):,} items have an image"]
    lines += [f"  {name}: {number:,}" for name, number in (counts | fetched).items()]
    if into is not None:
        paths = {qid: row["path"] for qid, row in rows.items()}
        number = put_into(into, out, paths)
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


def _names(source: str, qids: Sequence[str], wikidata: ApiSettings) -> dict[str, str | None]:
    """Item -> its file on Commons, None if it has none; items that are not known are absent."""
    if source == API:
        with Api(wikidata, f"{len(qids):,} ids of items", CLOCK) as api:
            found = ((qid, item_of(item, api)) for qid, item in entities_of(api, WHOLE_ITEMS, qids))
            return {qid: item.image for qid, item in found if item is not None}
    if Path(source).is_dir():
        return images_in_index(Path(source), qids)
    wanted, names = set(qids), dict[str, str | None]()
    for where, _, row in json_rows(Path(source)):
        if not {"qid", "image"} <= row.keys():
            raise WikidataError(f"{where}: must be a JSON object with `qid` and `image`")
        if row["qid"] in wanted:
            names[row["qid"]] = row["image"]
    return names


def check_place(entities: Path, out: Path) -> None:
    """Makes sure that images below `out` can be named relative to a table of entities.

    Raises:
        WikidataError: if the table is missing or is no .jsonl, or `out` lies elsewhere.
    """
    if entities.suffix != ".jsonl" or not entities.is_file():
        raise WikidataError(f"{entities}: no such file; name the entities.jsonl of a data set")
    if not out.resolve().is_relative_to(entities.parent.resolve()):
        raise WikidataError(
            f"{out}: lies outside of {entities.parent}, from where a data set names its images; "
            "choose a folder in it, or give a plain list of ids"
        )


def put_into(entities: Path, out: Path, paths: Mapping[str, str]) -> int:
    """Adds images to a table of entities; rows without a new one stay as they are, to the byte.

    Images that the row names already come first, those that an earlier run added are replaced.

    Args:
        paths: of the images relative to `out`, by qid.
    Returns:
        Number of rows that have an image of `paths`.
    """
    base = out.resolve().relative_to(entities.parent.resolve()).as_posix()
    number = 0
    with atomic_write(entities) as temporary, temporary.open("wb") as stream:
        for _, line, row in json_rows(entities):
            path = paths.get(str(row.get("qid")).strip())
            if path is None:
                stream.write(f"{line}\n".encode())
                continue
            number += 1
            stem = posixpath.normpath(posixpath.join(base, IMAGES, str(row["qid"]).strip()))
            others = [p for p in row.get("images") or [] if posixpath.splitext(p)[0] != stem]
            row["images"] = [*others, posixpath.normpath(posixpath.join(base, path))]
            stream.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return number
