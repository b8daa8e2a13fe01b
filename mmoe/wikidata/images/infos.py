"""What Commons tells of files: where a thumbnail lies, author and licence, as plain text."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

from mmoe.errors import WikidataError
from mmoe.wikidata.api.ask import Api, Json, Question, wrong_form

# Any other is answered with HTTP 429 and never served.
WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)  # pixels


def width_within(wanted: int, original: int) -> int | None:
    """The largest width that is served, not wanted larger and not above the original's; None for none."""
    return max((width for width in WIDTHS if width <= min(wanted, original)), default=None)


MAX_TITLES = 50  # that the API takes at once
MAX_ADDRESS = 6000  # bytes of them in a request's address; servers refuse longer ones with HTTP 414
SHOWN_BY_ITSELF = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})

_SEPARATOR = "|"  # of titles in a request, so no title holds it
_METADATA = ("Artist", "Credit", "LicenseShortName", "LicenseUrl", "UsageTerms")
_PARAMS = {
    "action": "query",
    "prop": "imageinfo",
    "redirects": "1",
    "iiprop": "url|sha1|size|mime|extmetadata",
    "iiextmetadatafilter": "|".join(_METADATA),
    "iiextmetadatalanguage": "en",
}


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of Commons.

    Attributes:
        mime: type of the original.
        width: of the original, in pixels; 0 where it has none, as sound.
        url: of the original.
        sha1: of the original's bytes, in hex; "" if it is not told.
        thumbnail: address of an image of at most the width that was asked for; None if there is none.
        page: address of the description page.
        rights: `author`, `credit`, `licence` and `licence_url` as plain text; each None if it is not told.
    """

    mime: str
    width: int
    url: str
    sha1: str
    thumbnail: str | None
    page: str | None
    rights: dict[str, str | None]


def ask_for_infos(api: Api, names: Sequence[str], width: int) -> dict[str, FileInfo | None]:
    """The files of these names; None for one that does not exist.

    Where the original is narrower than `width`, the thumbnail is the original if a browser shows it, and
    else has the next smaller width that is served.

    Raises:
        NotKeptError, WikidataError: as `Api.ask`.
    """
    found: dict[str, FileInfo | None] = {name: None for name in names if _SEPARATOR in name}
    found |= _ask(api, [name for name in names if _SEPARATOR not in name], width)
    smaller: defaultdict[int, list[str]] = defaultdict(list)
    for name, info in found.items():
        if info is not None and 0 < info.width < width and info.mime not in SHOWN_BY_ITSELF:
            step = width_within(width, info.width)
            if step is not None:
                smaller[step].append(name)
    for step, some in sorted(smaller.items()):
        found |= _ask(api, some, step)
    return found


def address_of(info: FileInfo, width: int) -> str | None:
    """Where an image of at most `width` pixels lies; None if there is none."""
    if info.mime in SHOWN_BY_ITSELF and info.width <= width:
        return info.url
    return info.thumbnail if width_within(width, info.width) is not None else None


def title_batches(names: Sequence[str]) -> list[list[str]]:
    """The names in batches that the API takes in one request."""
    batches: list[list[str]] = []
    room = 0
    for name in names:
        size = len(quote(f"{_SEPARATOR}File:{name}", safe=""))
        if not batches or len(batches[-1]) == MAX_TITLES or size > room:
            batches.append([])
            room = MAX_ADDRESS
        batches[-1].append(name)
        room -= size
    return batches


def _ask(api: Api, names: Sequence[str], width: int) -> Iterator[tuple[str, FileInfo | None]]:
    batches = title_batches(names)
    api.bar.expect(len(batches))
    for batch in batches:
        # The API compares names in NFC.
        titles = {name: f"File:{unicodedata.normalize('NFC', name)}" for name in batch}
        params = _PARAMS | {"titles": _SEPARATOR.join(titles.values()), "iiurlwidth": str(width)}
        pages: dict[str, Json] = {}
        for query in _queries(api, params):
            for page in query["pages"]:
                if page["title"] not in pages or "imageinfo" in page:
                    pages[page["title"]] = page
            titles = _followed(titles, query)
        for name, title in titles.items():
            if title not in pages:
                raise WikidataError(
                    f"{api.settings.host}: no answer about {name!r}; is it the Action API of Commons?"
                )
            yield name, _info(pages[title])


def _queries(api: Api, params: Mapping[str, str]) -> Iterator[Json]:
    """`query` of each answer: one may tell that it goes on."""
    following: dict[str, str] = {}
    while True:
        answer = api.ask(Question("imageinfo", {**params, **following}), _check)[""]
        yield answer["query"]
        following = {key: str(value) for key, value in answer.get("continue", {}).items()}
        if not following:
            return
        api.bar.expect(1)


def _check(answer: Json, _: Sequence[str]) -> None:
    query = answer.get("query")
    pages = query.get("pages") if isinstance(query, dict) else None
    if not isinstance(pages, list) or not all(isinstance(page, dict) for page in pages):
        raise wrong_form("`pages`")
    if not all(isinstance(page.get("title"), str) for page in pages):
        raise wrong_form("a page's `title`")


def _followed(titles: Mapping[str, str], query: Json) -> dict[str, str]:
    """The titles under which the pages stand: spelt as Commons spells them, renamed files found."""
    changes: dict[str, str] = {}
    for key in ("normalized", "redirects"):
        changes |= {change["from"]: change["to"] for change in query.get(key, [])}
    found = {}
    for name, title in titles.items():
        for _ in changes:
            title = changes.get(title, title)
        found[name] = title
    return found


def _info(page: Json) -> FileInfo | None:
    entries = page.get("imageinfo")
    entry = entries[0] if isinstance(entries, list) and entries else {}
    url, mime = entry.get("url"), entry.get("mime")
    if not isinstance(url, str) or not isinstance(mime, str):
        return None
    metadata = entry.get("extmetadata")
    told = metadata if isinstance(metadata, dict) else {}
    return FileInfo(
        mime=mime,
        width=entry.get("width") or 0,
        url=url,
        sha1=entry.get("sha1") or "",
        thumbnail=entry.get("thumburl") or None,
        page=entry.get("descriptionurl"),
        rights={
            "author": _text(told, "Artist"),
            "credit": _text(told, "Credit"),
            "licence": _text(told, "LicenseShortName") or _text(told, "UsageTerms"),
            "licence_url": _text(told, "LicenseUrl"),
        },
    )


def _text(metadata: Mapping[str, Any], key: str) -> str | None:
    value = metadata.get(key)
    text = value.get("value") if isinstance(value, dict) else None
    return plain_text(text) or None if isinstance(text, str) else None


_WITHOUT_END = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "source", "wbr"})
_APART = frozenset({"br", "dd", "div", "dt", "hr", "li", "p", "td", "th", "tr"})
_UNSEEN = frozenset({"script", "style"})


def plain_text(html: str) -> str:
    """What a reader would see, on one line."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.seen).split())


class _Reader(HTMLParser):
    """Collects text outside of elements that are not shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._hidden: list[str] = []  # the element that is not shown, and those like it in it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _APART:
            self.seen.append(" ")
        style = (dict(attrs).get("style") or "").replace(" ", "").lower()
        is_hidden = tag in _UNSEEN or "display:none" in style
        if tag in self._hidden or (is_hidden and not self._hidden and tag not in _WITHOUT_END):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _APART:
            self.seen.append(" ")
        if tag in self._hidden:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)
