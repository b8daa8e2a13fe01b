"""Which items may bear a word: a list that is proven to hold all that do, or the best that the API gives.

The API has no question "which items bear exactly this name". Two of its lists hold them among others, and
both end somewhere:

- `list=search` with inlabel:"word": items with the word's tokens, in this order, in a label or alias of
  any language. It tells how many there are. Up to 10,000 can be fetched, 500 at a time; if there are no
  more, and as many different ones have arrived, no item that bears the word is lacking.
- `wbsearchentities`: items of which a label or alias begins with the word, in one language or `mul`, best
  match first; 50 at a time, up to 10,000 if one does not stop where `search-continue` does. It ends with
  an empty page; then none is lacking. Popularity counts beside exactness, so a name may come after longer
  names of popular items, and the `match` that it shows is a name that begins with the word, not the best
  one: neither says that all names have been seen.

The first is asked for every word, since most words are settled by one request. Words of which it holds
more than that ("John"), or nothing that could be asked (no letter or digit, as "?!"; more than 300
characters), go to the second as well, once a language. That one is left, besides at its end, when
QUIET_HITS hits on end don't bear the word: exact names come before most others, so what is lacking then
are obscure items. Words for which neither list was seen to its end are reported: a dump knows better.

Either way the names of all hits are compared here, as they are for a dump. Limits: both lists rest on
the server's own analysis of names, which folds case and white space at least as much as ours does (quotes
and @ are left out of the question, as they would be read as syntax); an item whose name itself holds
percent-escapes is found by a dump only; and the index lags some seconds behind the items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mmoe.names import name_tokens
from mmoe.wikidata.api.ask import Api, Json, Question, wrong_form
from mmoe.wikidata.entity import is_qid

SEARCH = "search"  # kind of answer
DEEPEST = 10_000  # hits of one list that the API gives
PHRASE_HITS, PREFIX_HITS = 500, 50  # a page
LONGEST_QUERY = 300  # characters
QUIET_HITS = 500

Bearers = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Hits:
    """Items that may bear a word.

    Attributes:
        qids: in the server's order.
        is_whole: whether no item that bears the word can be lacking.
    """

    qids: tuple[str, ...]
    is_whole: bool


def find_hits(api: Api, word: str, languages: Sequence[str], any_bears: Bearers) -> Hits:
    """The items among which are those that bear a word.

    Args:
        word: normalised.
        any_bears: whether any of these items does.
    Raises:
        NotKeptError: if the run is offline and an answer is not kept.
    """
    hits = _hits_of_phrase(api, word)
    if hits.is_whole:
        return hits
    lists = [_hits_of_prefix(api, word, language, any_bears) for language in languages]
    qids = [qid for found in (hits, *lists) for qid in found.qids]
    return Hits(tuple(dict.fromkeys(qids)), all(found.is_whole for found in lists))


def _hits_of_phrase(api: Api, word: str) -> Hits:
    query = _phrase_query(word)
    if query is None:
        api.bar.expect(-1)  # the one that every word is taken to need
        return Hits((), is_whole=False)
    titles: list[str] = []
    offset: int | None = 0
    total = 0
    while offset is not None and total <= api.settings.max_hits:
        if offset > 0:
            api.bar.expect(1)
        page = _page(api, _phrase_params(query, offset), _check_phrase)
        total = page["query"]["searchinfo"]["totalhits"]
        titles += [hit["title"] for hit in page["query"]["search"]]
        following = page.get("continue", {}).get("sroffset")
        offset = following if following is not None and following > offset else None
    # Of too long a list only the first page is taken; pages may also overlap while items change.
    is_whole = len(set(titles)) >= total
    return Hits(tuple(title for title in titles if is_qid(title)), is_whole)


def _phrase_query(word: str) -> str | None:
    if not name_tokens(word):
        return None
    plain = "".join(" " if character in '"\\@' else character for character in word)
    query = f'inlabel:"{" ".join(plain.split())}"'
    return query if len(query) <= LONGEST_QUERY else None


def _phrase_params(query: str, offset: int) -> dict[str, str]:
    return {
        "action": "query",
        "list": "search",
        "srsearch": query,
        "srnamespace": "0",
        "srlimit": str(PHRASE_HITS),
        "sroffset": str(offset),
        "srinfo": "totalhits",
        "srprop": "",
    }


def _hits_of_prefix(api: Api, word: str, language: str, any_bears: Bearers) -> Hits:
    qids: list[str] = []
    offset = quiet = 0
    while offset <= DEEPEST and quiet < QUIET_HITS:
        api.bar.expect(1)
        page = _page(api, _prefix_params(word, language, offset), _check_prefix)
        found = [hit["id"] for hit in page["search"]]
        if not found:
            return Hits(tuple(qids), is_whole=True)
        qids += found
        quiet = 0 if any_bears(found) else quiet + len(found)
        # A server that gives fewer than were asked for does not thereby say that it has no more.
        offset += len(found)
    return Hits(tuple(qids), is_whole=False)


def _prefix_params(word: str, language: str, offset: int) -> dict[str, str]:
    return {
        "action": "wbsearchentities",
        "search": word,
        "language": language,
        "strictlanguage": "1",
        "type": "item",
        "limit": str(PREFIX_HITS),
        "continue": str(offset),
        "props": "",
    }


def _page(api: Api, params: dict[str, str], check: Callable[[Json], None]) -> Json:
    def split(answer: Json, _ids: tuple[str, ...]) -> dict[str, Json]:
        check(answer)
        return {"": answer}

    return api.ask(Question(SEARCH, params), split)[""]


def _check_phrase(answer: Json) -> None:
    query = answer.get("query")
    if not isinstance(query, dict) or not _all_have(query.get("search"), "title"):
        raise wrong_form("`query.search`")
    info = query.get("searchinfo")
    if not isinstance(info, dict) or not isinstance(info.get("totalhits"), int):
        raise wrong_form("`query.searchinfo.totalhits`")
    following = answer.get("continue", {})
    if not isinstance(following, dict) or not isinstance(following.get("sroffset", 0), int):
        raise wrong_form("a number in `continue.sroffset`")


def _check_prefix(answer: Json) -> None:
    hits = answer.get("search")
    if not _all_have(hits, "id") or not all(is_qid(hit["id"]) for hit in hits or ()):
        raise wrong_form("items in `search`")


def _all_have(hits: Any, key: str) -> bool:
    return isinstance(hits, list) and all(
        isinstance(hit, dict) and isinstance(hit.get(key), str) for hit in hits
    )
