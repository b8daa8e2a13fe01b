"""Which items may bear a surface form: a list proven to hold all that do, or the best that the API gives.

The API has no question "which items bear exactly this name". Two of its lists hold them among others, and
both end somewhere:

- `list=search` with inlabel:"form": items with the tokens of the form, in this order, in a label or alias
  of any language; with several inlabel: items that have them all, in whichever names. It tells how many
  there are. Up to 10,000 can be fetched, 500 at a time; if there are no more, and as many different ones
  have arrived, no item that bears the form is missing.
- `wbsearchentities`: items of which a label or alias begins with the form, in one language or `mul`, best
  match first; 50 at a time, up to 10,000 if one does not stop where `search-continue` does. It ends with
  an empty page; then none that has this very name is missing. Popularity counts beside exactness, so a
  name may come after longer names of popular items, and the `match` that it shows is a name that begins
  with the form, not the best one: neither says that all names have been seen.

Exact names: the first is asked for every form, since most are settled by one request. Forms of which it
holds more than that ("John"), or nothing that could be asked (no letter or digit, as "?!"; more than 300
characters), go to the second as well, once a language. That one is left, besides at its end, when
QUIET_HITS hits on end don't have the form as a name: exact names come before most others, so what is missing
then are obscure items. Forms for which neither list was seen to its end are reported: a dump knows better.

Tokens: the first is asked for all tokens of the form, wherever they stand; a form with signs inside is
asked for in up to nine ways. A form of which it holds too much, or that can't be asked for, is reported: what
begins with the form does not prove anything about names in which it comes later. It is looked for as an
exact name too, so that those at least are not missing.

Either way the names of all hits are compared here, as they are for a dump. Limits: both lists rely on the
server's own analysis of names, which folds case and white space at least as much as ours does (quotes and @
are left out of the question, as they would be read as syntax); an item whose name itself holds
percent-escapes is found by a dump only, and so is one of whose name the server made one term where we see
several tokens or leave out marks, unless the form holds the whole term ("Arc" does not find "Jeanne d'Arc",
"d'Arc" does); and the search index lags some seconds behind the items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmoe.names import name_tokens
from mmoe.wikidata.api.ask import Api, Json, Question, wrong_form
from mmoe.wikidata.api.phrases import phrase_query, token_queries
from mmoe.wikidata.entity import is_qid
from mmoe.wikidata.matching import Match

SEARCH = "search"  # kind of answer
DEEPEST = 10_000  # hits of one list that the API gives
PHRASE_HITS, PREFIX_HITS = 500, 50  # a page
QUIET_HITS = 500

AnyNamed = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Hits:
    """Items that may bear a surface form.

    Attributes:
        qids: in the server's order.
        is_whole: whether no item that bears the form can be missing.
    """

    qids: tuple[str, ...]
    is_whole: bool


def find_hits(api: Api, form: str, any_named: AnyNamed, match: Match = "exact") -> Hits:
    """The items among which are those that bear a surface form.

    Args:
        form: normalised.
        any_named: whether any of these items has the form as a name.
        match: what bearing a form means; as `Matching.match`.
    Raises:
        NotKeptError: if the run is offline and an answer is not kept.
    """
    api.bar.expect(-1)  # the one that every form is taken to need; each list counts its own
    by_tokens = match == "tokens" and bool(name_tokens(form))
    queries = token_queries(form) if by_tokens else ()
    listed = {query: _hits_of_phrase(api, query) for query in queries}
    if listed and all(found.is_whole for found in listed.values()):
        return _joined(list(listed.values()), is_whole=True)
    named = _hits_of_name(api, form, any_named, listed)
    return _joined([*listed.values(), named], is_whole=named.is_whole and not by_tokens)


def _hits_of_name(api: Api, form: str, any_named: AnyNamed, listed: Mapping[str, Hits]) -> Hits:
    """The items among which are those that have the form as a name.

    Args:
        listed: hits by question, of questions that were put before.
    """
    query = phrase_query(form)
    hits = Hits((), is_whole=False)
    if query is not None:
        hits = listed[query] if query in listed else _hits_of_phrase(api, query)
    if hits.is_whole:
        return hits
    lists = [_hits_of_prefix(api, form, language, any_named) for language in api.settings.languages]
    return _joined([hits, *lists], is_whole=all(found.is_whole for found in lists))


def _joined(lists: Sequence[Hits], is_whole: bool) -> Hits:
    qids = dict.fromkeys(qid for found in lists for qid in found.qids)
    return Hits(tuple(qids), is_whole)


def _hits_of_phrase(api: Api, query: str) -> Hits:
    params = {
        "action": "query",
        "list": "search",
        "srsearch": query,
        "srnamespace": "0",
        "srlimit": str(PHRASE_HITS),
        "srinfo": "totalhits",
        "srprop": "",
    }
    titles: list[str] = []
    offset: int | None = 0
    total = 0
    while offset is not None and total <= api.settings.max_hits:
        api.bar.expect(1)
        question = Question(SEARCH, params | {"sroffset": str(offset)})
        page = api.ask(question, _check_phrase)[""]
        total = page["query"]["searchinfo"]["totalhits"]
        titles += [hit["title"] for hit in page["query"]["search"]]
        following = page.get("continue", {}).get("sroffset")
        offset = following if following is not None and following > offset else None
    # Of too long a list only the first page is taken; pages may also overlap while items change.
    is_whole = len(set(titles)) >= total
    return Hits(tuple(title for title in titles if is_qid(title)), is_whole)


def _hits_of_prefix(api: Api, form: str, language: str, any_named: AnyNamed) -> Hits:
    params = {
        "action": "wbsearchentities",
        "search": form,
        "language": language,
        "strictlanguage": "1",
        "type": "item",
        "limit": str(PREFIX_HITS),
        "props": "",
    }
    qids: list[str] = []
    offset = quiet = 0
    while offset <= DEEPEST and quiet < QUIET_HITS:
        api.bar.expect(1)
        question = Question(SEARCH, params | {"continue": str(offset)})
        page = api.ask(question, _check_prefix)[""]
        found = [hit["id"] for hit in page["search"]]
        if not found:
            return Hits(tuple(qids), is_whole=True)
        qids += found
        quiet = 0 if any_named(found) else quiet + len(found)
        # A server that gives fewer than were asked for does not thereby say that it has no more.
        offset += len(found)
    return Hits(tuple(qids), is_whole=False)


def _check_phrase(answer: Json, _: Sequence[str]) -> None:
    query = answer.get("query")
    if not isinstance(query, dict) or not _all_have(query.get("search"), "title"):
        raise wrong_form("`query.search`")
    info = query.get("searchinfo")
    if not isinstance(info, dict) or not isinstance(info.get("totalhits"), int):
        raise wrong_form("`query.searchinfo.totalhits`")
    following = answer.get("continue", {})
    if not isinstance(following, dict) or not isinstance(following.get("sroffset", 0), int):
        raise wrong_form("a number in `continue.sroffset`")


def _check_prefix(answer: Json, _: Sequence[str]) -> None:
    hits = answer.get("search")
    if not _all_have(hits, "id") or not all(is_qid(hit["id"]) for hit in hits or ()):
        raise wrong_form("items in `search`")


def _all_have(hits: Any, key: str) -> bool:
    return isinstance(hits, list) and all(
        isinstance(hit, dict) and isinstance(hit.get(key), str) for hit in hits
    )
