"""Fetches the images of items from Wikimedia Commons as thumbnails, with authors and licences.

OUT gets images/<id>.jpg and licences.jsonl. A stopped run goes on where it was; images that are there are
not asked for again. Wikimedia wants to know whom to reach: set MMOE_CONTACT to an e-mail address or web page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings, settings_from_environment
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.pace import CLOCK
from mmoe.wikidata.entity import is_qid
from mmoe.wikidata.images.collect import collect
from mmoe.wikidata.images.names import (
    Names,
    names_from_api,
    names_from_index,
    names_from_table,
)
from mmoe.wikidata.images.tables import check_place, put_into
from mmoe.wikidata.images.widths import WIDTHS, check_width
from mmoe.wikidata.knowledge.lists import read_ids, read_qids
from mmoe.wikidata.knowledge.write import ENTITIES, ITEMS, disk_trouble

API = "api"
WIKIDATA, COMMONS = "https://www.wikidata.org/w/api.php", "https://commons.wikimedia.org/w/api.php"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Names the items, the folder, the width, and where the images' names come from."""
    parser.add_argument(
        "qids", type=Path, metavar="QIDS", help=f"item ids, one a line, or a data set's {ENTITIES}"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write to")
    parser.add_argument(
        "--width", type=int, default=330, help=f"in pixels, of {', '.join(map(str, WIDTHS))}"
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="INDEX",
        help=f"what knows the items' images: a label index, the {ITEMS} of a knowledge base, or {API} "
        f"(default: {ITEMS} beside QIDS, else {API})",
    )
    parser.add_argument(
        "--into",
        type=Path,
        metavar=ENTITIES,
        help=f"adds the images to this table (default: QIDS, if it is called {ENTITIES})",
    )
    parser.add_argument(
        "--requests-per-minute", type=int, default=180, metavar="N", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--wikidata", metavar="URL", default=WIKIDATA, help="(default: %(default)s)"
    )
    parser.add_argument("--commons", metavar="URL", default=COMMONS, help="(default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Fetches, writes, and says what became of each image."""
    check_width(arguments.width)
    if arguments.requests_per_minute < 1:
        raise WikidataError(
            f"--requests-per-minute {arguments.requests_per_minute}: must be at least 1"
        )
    into = arguments.into
    if into is None and arguments.qids.name == ENTITIES:
        into = arguments.qids
    if into is not None:
        check_place(into, arguments.out)
    try:
        with disk_trouble(arguments.out):
            return _collect(arguments, into)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what has arrived", file=sys.stderr)
        return 130


def _collect(arguments: argparse.Namespace, into: Path | None) -> int:
    qids, counts = _items(arguments.qids)
    names = _names(arguments, qids)
    known = {qid: name for qid, name in names.items() if name is not None}
    counts |= {
        "items not known": len(qids) - len(names),
        "items without an image": len(names) - len(known),
    }
    found = collect(known, arguments.out, arguments.width, _settings(arguments, "commons"))
    print(f"{arguments.out}: {len(found.rows):,} of {len(qids):,} items have an image")
    for name, number in (counts | found.counts).items():
        print(f"  {name}: {number:,}")
    if into is not None:
        number = put_into(into, arguments.out, {q: row["path"] for q, row in found.rows.items()})
        print(f"{into}: {number:,} rows name an image of these")
    return 0


def _items(file: Path) -> tuple[list[str], dict[str, int]]:
    """The item ids of a file; a data set may also hold entities that are not Wikidata's."""
    if file.suffix != ".jsonl":
        return list(read_qids(file)), {}
    names = list(dict.fromkeys(text for _, text in read_ids(file)))
    qids = [name for name in names if is_qid(name)]
    if not qids:
        raise WikidataError(f"{file}: holds no item id, such as Q42")
    return qids, {"entities that are no item of Wikidata": len(names) - len(qids)}


def _names(arguments: argparse.Namespace, qids: Sequence[str]) -> Names:
    beside = arguments.qids.with_name(ITEMS)
    source = arguments.source or (str(beside) if beside.is_file() else API)
    if source == API:
        with Api(_settings(arguments, "wikidata"), f"{len(qids):,} ids of items", CLOCK) as api:
            return names_from_api(api, qids)
    if Path(source).is_dir():
        return names_from_index(Path(source), qids)
    return names_from_table(Path(source), qids)


def _settings(arguments: argparse.Namespace, server: str) -> ApiSettings:
    return settings_from_environment(
        url=getattr(arguments, server),
        languages=("en",),
        max_per_minute=arguments.requests_per_minute,
    )
