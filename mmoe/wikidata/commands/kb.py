"""Writes a knowledge base in our own format out of Wikidata's items: names, attributes, what else is known.

An item is taken if its id is listed (--qids) or it bears a listed name (--names), and is of one of the
kinds (--kinds) where some are given. A dump is read twice, as the labels of properties and values stand
anywhere in it, and once before that if subclasses are wanted. With `api` in its place the names and ids are
sent to Wikidata's API.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings, settings_from_environment
from mmoe.wikidata.api.search import DEEPEST
from mmoe.wikidata.entity import is_qid
from mmoe.wikidata.index.request import PAGES
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.choice import Choice
from mmoe.wikidata.knowledge.from_api import build_from_api
from mmoe.wikidata.knowledge.lists import read_names, read_qids
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES
from mmoe.wikidata.knowledge.request import ALL, Request
from mmoe.wikidata.knowledge.write import ENTITIES, disk_trouble, refuse_strangers

API, WIKIDATA = "api", "https://www.wikidata.org/w/api.php"

_PROPERTY = re.compile(r"P[1-9][0-9]*")
_LANGUAGE = re.compile(r"[a-z]{2,}(-[a-z0-9]+)*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Names the dump, the items and what is to be said of them."""
    parser.add_argument(
        "dump",
        metavar="DUMP",
        help=f"a Wikidata dump, a slice of one, a folder of split files, or {API}",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write to")
    _add_choice(parser)
    _add_contents(parser)
    parser.add_argument(
        "--with-slice",
        action="store_true",
        help="also write the items as OUT/wikidata.jsonl, in which retrieve looks for candidates",
    )
    parser.add_argument(
        "--api-url", metavar="URL", default=WIKIDATA, help="of the API (default: %(default)s)"
    )
    parser.add_argument(
        "--offline", action="store_true", help="use only what the API has answered before"
    )
    parser.add_argument(
        "--max-hits",
        type=int,
        default=ApiSettings.max_hits,
        metavar="N",
        help="items with a listed name in theirs up to which the API is asked for the whole list, at most "
        f"{DEEPEST}; of more the best are taken (default: %(default)s)",
    )
    parser.add_argument(
        "--requests-per-minute",
        type=int,
        default=ApiSettings.max_per_minute,
        metavar="N",
        help="to the API (default: %(default)s)",
    )
    parser.add_argument("--replace", action="store_true", help="write over what is in OUT")


def _add_choice(parser: argparse.ArgumentParser) -> None:
    """Which items are taken."""
    parser.add_argument(
        "--names", type=Path, metavar="FILE", help="names, one a line, or a .jsonl with key word"
    )
    parser.add_argument(
        "--match",
        choices=("exact", "tokens"),
        default="exact",
        help="tokens: also items of whose names one holds all tokens of a listed name, for surnames and "
        "first names (default: %(default)s)",
    )
    parser.add_argument(
        "--qids",
        type=Path,
        metavar="FILE",
        help="ids, one a line, or a .jsonl with key qid or gold_qid",
    )
    parser.add_argument(
        "--kinds",
        metavar="Q5,Q515",
        help="items that are instances of one of these themselves; disambiguation pages, lists, categories "
        "and templates only if their own kind is among these, or their id is listed",
    )
    parser.add_argument(
        "--with-subclasses",
        action="store_true",
        help="or of a subclass of one, at any depth; of a dump only, which is read once more for it",
    )
    parser.add_argument(
        "--max-entities", type=int, metavar="N", help="keep those with the most Wikipedia articles"
    )


def _add_contents(parser: argparse.ArgumentParser) -> None:
    """What is said of them."""
    parser.add_argument(
        "--languages",
        default="en",
        help="of names and attributes, best first (default: %(default)s)",
    )
    parser.add_argument(
        "--properties",
        metavar="P31,P106",
        default=",".join(DEFAULT_PROPERTIES),
        help=f"of which attributes are made, in their order; {ALL}: all that say something to a reader, in "
        "the item's own order: no ids elsewhere, addresses, files and coordinates, nothing that is for the "
        "wikis' housekeeping, as Commons categories (default: %(default)s)",
    )
    parser.add_argument(
        "--without-properties", metavar="P31,P18", help="of which none are made in any case"
    )
    parser.add_argument(
        "--max-values",
        type=int,
        default=3,
        metavar="N",
        help="of a property (default: %(default)s)",
    )
    parser.add_argument(
        "--with-description",
        action="store_true",
        help="begin the attributes with the item's description",
    )


def run(arguments: argparse.Namespace) -> int:
    """Writes the knowledge base and its counts."""
    request = _request(arguments)
    if not arguments.replace:
        refuse_strangers(arguments.out)
    try:
        with disk_trouble(arguments.out):
            counts = _build(arguments, request)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what is done", file=sys.stderr)
        return 130
    print(f"{arguments.out / ENTITIES}: {counts['entities']:,} entities")
    for name, number in counts.items():
        if number and name != "entities":  # kb.json has those of which there are none, too
            print(f"  {name}: {number:,}")
    return 0


def _build(arguments: argparse.Namespace, request: Request) -> dict[str, int]:
    if arguments.dump != API:
        return build_from_dump(arguments.dump, arguments.out, request)
    if request.choice.names is None and request.choice.qids is None:
        raise WikidataError(
            "the API does not list all items of a kind; add --names or --qids, or name a dump"
        )
    if request.choice.with_subclasses:
        raise WikidataError(
            "the API does not list subclasses; list all --kinds themselves, or name a dump"
        )
    pages = sorted(PAGES.keys() & (request.choice.kinds or ()))
    if pages and request.choice.names is not None:
        raise WikidataError(
            f"--kinds {pages[0]}: by name the API gives no {PAGES[pages[0]]}; use --qids, or name a dump"
        )
    return build_from_api(arguments.out, request, _settings(arguments, request.languages))


def _settings(arguments: argparse.Namespace, languages: tuple[str, ...]) -> ApiSettings:
    max_hits, per_minute = arguments.max_hits, arguments.requests_per_minute
    if not 0 <= max_hits <= DEEPEST:
        raise WikidataError(f"--max-hits {max_hits}: must be from 0 to {DEEPEST}")
    if per_minute < 1:
        raise WikidataError(f"--requests-per-minute {per_minute}: must be at least 1")
    return settings_from_environment(
        arguments.api_url,
        languages,
        max_per_minute=per_minute,
        max_hits=max_hits,
        offline=arguments.offline,
    )


def _request(arguments: argparse.Namespace) -> Request:
    for option in ("max_values", "max_entities"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            raise WikidataError(f"--{option.replace('_', '-')} {value}: must be at least 1")
    properties = None
    if arguments.properties != ALL:
        properties = _parts(arguments.properties, "--properties", _PROPERTY.fullmatch, "P31")
    without = arguments.without_properties
    return Request(
        _choice(arguments),
        languages=_parts(arguments.languages, "--languages", _LANGUAGE.fullmatch, "en"),
        properties=properties,
        without_properties=()
        if without is None
        else _parts(without, "--without-properties", _PROPERTY.fullmatch, "P31"),
        max_values=arguments.max_values,
        max_entities=arguments.max_entities,
        with_description=arguments.with_description,
        with_slice=arguments.with_slice,
    )


def _choice(arguments: argparse.Namespace) -> Choice:
    if arguments.names is None and arguments.qids is None and arguments.kinds is None:
        raise WikidataError("no item is asked for; add --names, --qids or --kinds")
    if arguments.match == "tokens" and arguments.names is None:
        raise WikidataError("--match tokens: says how names are compared; add --names")
    if arguments.with_subclasses and arguments.kinds is None:
        raise WikidataError("--with-subclasses: says how kinds are meant; add --kinds")
    kinds = None
    if arguments.kinds is not None:
        kinds = frozenset(_parts(arguments.kinds, "--kinds", is_qid, "Q5"))
    return Choice(
        names=None if arguments.names is None else read_names(arguments.names),
        qids=None if arguments.qids is None else frozenset(read_qids(arguments.qids)),
        kinds=kinds,
        match=arguments.match,
        with_subclasses=arguments.with_subclasses,
    )


def _parts(
    text: str, option: str, is_right: Callable[[str], object], example: str
) -> tuple[str, ...]:
    """What stands between the commas, each once."""
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for part in parts:
        if not is_right(part):
            raise WikidataError(
                f"{option} {text}: {part!r} is not like {example}; write several with commas between"
            )
    return parts
