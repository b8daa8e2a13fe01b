"""A small world, what it holds for a word by the slow way, and one run of the client in a process."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmoe.config.wikidata import WikidataParams
from mmoe.errors import MmoeError
from mmoe.names import name_tokens, normalise_name
from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.entity import Item, read_item
from mmoe.wikidata.matching import Match
from mmoe.wikidata.selection import Selection

from tests.imports import ROOT
from tests.wikidata.api.fake.store import Store, item, terms

FAST = WikidataParams(requests_per_minute=100_000)
CONTACT = "kanarienvogel-93c1@contact.example"


def small_world() -> Store:
    """A few names, each with its own difficulty."""
    store = Store()
    store.add(
        item(
            1, "Lurien", ["Port of Lurien"], kind="Q515", sitelinks=9, description="invented town"
        ),
        item(2, "Lurien", kind="Q5", sitelinks=1),
        item(3, {"en": "Ada Lurien", "de": "Lurien"}, sitelinks=3),
        item(4, {"mul": "LURIEN"}, sitelinks=2),
        item(5, "Luriën"),  # folds to the word, but is another name
        item(6, "Lurien disambiguated", ["Lurien"], kind="Q4167410"),
        item(7, "Vessa O'Mara", ['the "Fox"']),
        item(8, "Vessa Omara", ["Vessa O'Mara"]),
        item(9, "?!"),
        item(10, "user@place"),
        item(11, "Straße von Ob"),
    )
    store.add(item(20, "Lurien County"), item(21, "Lurien (song)"), popularity=1.0)
    store.add(*(item(100 + number, f"Lurien {number}") for number in range(30)))
    return store


WORDS = ["Lurien", "Ada Lurien", "Vessa O'Mara", 'the "fox"', "?!", "user@place", "nobody at all"]


def bearers(
    store: Store,
    words: Sequence[str],
    languages: Sequence[str] = ("en",),
    match: Match = "exact",
) -> list[str]:
    """The items that bear one of the words, by looking at every name of every item."""
    wanted = {normalise_name(word) for word in words} - {""}
    tokens = [set(name_tokens(word)) for word in wanted if match == "tokens"]

    def is_borne(name: str) -> bool:
        own = set(name_tokens(name))
        return normalise_name(name) in wanted or any(each and each <= own for each in tokens)

    return [
        qid
        for qid, one in sorted(store.items.items(), key=lambda pair: int(pair[0][1:]))
        if qid not in store.deleted
        and "Q4167410" not in str(one["claims"])
        and any(is_borne(text) for _, _, text in terms(one, (*languages, "mul")))
    ]


def items_of_dump(store: Store, languages: Sequence[str] = ("en",)) -> list[Item]:
    """All items that an index of the whole dump would hold: neither redirects nor pages of Wikipedia."""
    choice = Selection(tuple(languages))
    items = [
        read_item(one, languages, "the dump")
        for qid, one in store.items.items()
        if qid not in store.redirects and qid not in store.deleted
    ]
    return [one for one in items if one is not None and choice.reason_against(one) is None]


def qids(items: Iterable[Item]) -> list[str]:
    return [item.qid for item in items]


def command(settings: ApiSettings, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment of a process that finds `words`."""
    environment = dict(os.environ) | {
        "MMOE_CONTACT": settings.contact,
        "MMOE_CACHE": str(settings.cache_folder),
        "no_proxy": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
    }
    line = [sys.executable, "-m", "tests.wikidata.api.runs", settings.url, *words]
    return line, environment


def main(url: str, *words: str) -> int:
    """Finds words and prints what was found; run as a process, to be killed."""
    # What a shell starts in the background inherits that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert Path(os.environ["MMOE_CACHE"])
    settings = ApiSettings(url, limits=FAST)
    try:
        found = find_items(words, settings)
    except MmoeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(qids(found.items)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
