"""A Wikimedia Commons of our own on the loopback: its API's imageinfo, originals and thumbnails."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from PIL import Image

from tests.loopback import running
from tests.wikidata.loopback import WikimediaHandler

STEPS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
BITMAPS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
# Before the width, after the name, and the form of the thumbnail, where it isn't a bitmap's.
OTHERS = {
    "image/svg+xml": ("", ".png", "PNG"),
    "image/tiff": ("lossy-page1-", ".jpg", "JPEG"),
    "application/pdf": ("page1-", ".jpg", "JPEG"),
    "video/webm": ("", ".jpg", "JPEG"),
}


def drawn(width: int, height: int, form: str = "JPEG") -> bytes:
    """An image with some detail, so that half of its bytes are not all of it."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


@dataclass
class Stored:
    """A file of Commons; all metadata as its API tells them."""

    mime: str = "image/jpeg"
    width: int = 800
    height: int = 600
    content: bytes = b""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request: the path with its escapes undone, and its parameters."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Commons:
    """What the server has, the tricks that it plays, and what it has seen.

    Attributes:
        addresses: path, escapes left out -> the file's name, and the width of its thumbnail.
        files: by name, with spaces and a capital letter first.
        renamed: old name -> new name.
        tricks: for the next requests for a file's bytes, one each, by name.
        api_tricks: for the next requests to the API, one each.
        pages_at_once: files about which one answer of the API tells; the rest follows.
    """

    addresses: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    files: dict[str, Stored] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    tricks: dict[str, list[Trick]] = field(default_factory=dict)
    api_tricks: list[Trick] = field(default_factory=list)
    pages_at_once: int = 50
    log: list[Asked] = field(default_factory=list)
    base: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.base}/w/api.php"

    def add(
        self,
        name: str,
        mime: str = "image/jpeg",
        width: int = 800,
        height: int = 600,
        *tricks: Trick,
        **metadata: str,
    ) -> None:
        told = {"LicenseShortName": "CC BY-SA 4.0", "Artist": "<a href='x'>Ada Testwell</a>"}
        content = drawn(width, height, BITMAPS[mime]) if mime in BITMAPS else b"not drawn here"
        self.files[name] = Stored(mime, width, height, content, told | metadata)
        self.addresses[path_of(name)] = (name, None)
        self.tricks[name] = list(tricks)

    def asked_for(self, name: str) -> list[Asked]:
        """Requests for a file's bytes, the original's or a thumbnail's."""
        return [a for a in self.log if not a.params and a.path.find(name.replace(" ", "_")) > 0]

    def asked_of_api(self) -> list[Asked]:
        return [asked for asked in self.log if asked.params]


class Handler(WikimediaHandler):
    """Answers one request."""

    commons: Commons

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked = Asked(unquote(parts.path), params, dict(self.headers))
        self.commons.log.append(self.asked)
        if self.has_refused_agent():
            self.refuse_agent()
        elif self.asked.path == "/w/api.php":
            tricks = self.commons.api_tricks
            tricks.pop(0)(self) if tricks else self.tell()
        else:
            path = self.asked.path.replace("/elsewhere", "")
            self.name, self.width = self.commons.addresses.get(path, ("", None))
            tricks = self.commons.tricks.get(self.name, [])
            tricks.pop(0)(self) if tricks else self.serve()

    def serve(self) -> None:
        """The original or a thumbnail, as they lie at their addresses."""
        file = self.commons.files.get(self.name)
        if file is None:
            self.reply(404, b"<title>404</title>", "text/html")
        elif self.width is None:
            self.reply(200, *self.good_answer())
        elif self.width > file.width:
            self.reply(400, b"<title>larger than the original</title>", "text/html")
        else:
            form = BITMAPS.get(file.mime) or OTHERS[file.mime][2]
            data = drawn(self.width, max(1, file.height * self.width // file.width), form)
            self.reply(200, data, f"image/{form.lower()}")

    def tell(self) -> None:
        """imageinfo."""
        params = self.asked.params
        assert (params["action"], params["prop"]) == ("query", "imageinfo")
        titles = params["titles"].split("|")
        found = {title: target(self.commons, title) for title in titles}
        pages = list(dict.fromkeys(found.values()))
        start = int(params.get("iicontinue", "0"))
        stop = start + self.commons.pages_at_once
        query: dict[str, Any] = {
            "normalized": [
                {"from": title, "to": spelt(title)} for title in titles if spelt(title) != title
            ],
            "redirects": [
                {"from": f"File:{old}", "to": f"File:{new}"}
                for old, new in self.commons.renamed.items()
                if f"File:{old}" in map(spelt, titles)
            ],
            "pages": [self.page(title, start <= place < stop) for place, title in enumerate(pages)],
        }
        answer: dict[str, Any] = {"query": {key: value for key, value in query.items() if value}}
        if stop < len(pages):
            answer["continue"] = {"iicontinue": stop, "continue": "||"}
        self.json(answer)

    def page(self, title: str, is_told: bool) -> dict[str, Any]:
        name = title.removeprefix("File:")
        file = self.commons.files.get(name)
        if file is None:
            return {"title": title, "missing": True}
        page: dict[str, Any] = {"title": title}
        if is_told:
            page["imageinfo"] = [self.info(name, file)]
        return page

    def info(self, name: str, file: Stored) -> dict[str, Any]:
        base, path = self.commons.base, path_of(name)
        last = quote(name.replace(" ", "_"))
        info: dict[str, Any] = {
            "width": file.width,
            "height": file.height,
            "url": f"{base}{quote(path)}",
            "descriptionurl": f"{base}/wiki/File:{last}",
            "mime": file.mime,
            "sha1": hashlib.sha1(file.content, usedforsecurity=False).hexdigest(),
            "extmetadata": {key: {"value": text} for key, text in file.metadata.items()},
        }
        width = next(step for step in STEPS if step >= int(self.asked.params["iiurlwidth"]))
        if file.mime in BITMAPS and width >= file.width:
            info |= {"thumburl": info["url"]}
        elif file.mime in BITMAPS or file.mime in OTHERS:
            before, after, _ = OTHERS.get(file.mime, ("", "", ""))
            dashes = "--" if file.mime.startswith("video/") else "-"
            thumbnail = f"/thumb{path}/{before}{width}px{dashes}{name.replace(' ', '_')}{after}"
            self.commons.addresses[thumbnail] = (name, width)
            info |= {"thumburl": f"{base}{quote(thumbnail)}"}
        return info

    def good_answer(self) -> tuple[bytes, str]:
        """The original."""
        file = self.commons.files[self.name]
        return file.content, file.mime


Trick = Callable[[Handler], None]


def spelt(title: str) -> str:
    """As the wiki spells it."""
    name = title.removeprefix("File:").replace("_", " ")
    return f"File:{name[:1].upper()}{name[1:]}"


def target(commons: Commons, title: str) -> str:
    name = spelt(title).removeprefix("File:")
    return f"File:{commons.renamed.get(name, name)}"


def path_of(name: str) -> str:
    """Where an original lies, escapes left out."""
    last = name.replace(" ", "_")
    digest = hashlib.md5(last.encode(), usedforsecurity=False).hexdigest()
    return f"/{digest[0]}/{digest[:2]}/{last}"


@contextmanager
def serving() -> Iterator[Commons]:
    """Runs a server with nothing on it for as long as the context lasts."""
    commons = Commons()
    handler = type("CommonsHandler", (Handler,), {"commons": commons})
    with running(handler, commons.closing) as commons.base:
        yield commons


def image(content: bytes) -> Trick:
    """Other bytes than the image's."""
    return lambda handler: handler.reply(200, content, "image/jpeg")


def redirected(code: int) -> Trick:
    """Sends the client on to another address."""

    def trick(handler: Handler) -> None:
        address = quote(f"/elsewhere{handler.asked.path}")
        handler.reply(code, b"", "text/html", {"Location": address})

    return trick


def held(arrived: threading.Event) -> Trick:
    """Sends the beginning, tells that, and then nothing."""

    def trick(handler: Handler) -> None:
        handler.reply(200, *handler.good_answer(), up_to=100)
        arrived.set()
        handler.commons.closing.wait(20)

    return trick
