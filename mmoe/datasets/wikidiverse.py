"""Format `wikidiverse`: WikiDiverse as its authors publish it, with a table of qids added.

train.json, valid.json, test.json    one list each of [sentence, image URL, topic, mentions], the topic
                    may be left out; a mention is [surface form, type, start, end, Wikipedia URL]
title2qid.json | title2qid.csv    the qid of each Wikipedia title
entities.jsonl | entities.csv     the knowledge base, as in our own format
wikinewsImgs | mention_image(s) | images    the images; a name begins with the MD5 of the last part of
                    the image's URL (or of the whole URL), its ending may be another one

A mention whose URL leads to no page, or to a page that the table has no qid for, has no gold qid. Both
are counted, apart from one another: a title without a qid may well be an entity of Wikidata.
Source: the list's form from github.com/wangxw5/wikiDiverse; the images' names from programs that
read its archive.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mmoe.datasets.images import IMAGE_ENDINGS, ImageFolder, NamedImages
from mmoe.datasets.own import read_entities
from mmoe.datasets.published import mentions_of, percent_decoded
from mmoe.datasets.raw import RawDataset, dataset_of, gold_of, require_file
from mmoe.datasets.rows import plain_text, read_json_list, read_json_object, read_rows, shown
from mmoe.errors import DataError
from mmoe.records import Mention

FILES = {"train": "train.json", "valid": "valid.json", "test": "test.json"}
OTHERS = ("kb_entity.json", "qid2id.json", "qid2abs.json", "splits.json")
FOLDERS = ("wikinewsImgs", "mention_image", "mention_images", "images")
DIGEST = 32  # hex digits of an MD5
ITEM = "[sentence, image URL, topic, mentions]"
TITLE_TABLES = ("title2qid.json", "title2qid.csv")
MENTION_PARTS = ("surface form", "type", "start", "end", "Wikipedia URL")


def recognises(folder: Path) -> bool:
    """Whether the folder holds the table of titles, or all three splits and no other format's files."""
    if any((folder / name).is_file() for name in TITLE_TABLES):
        return True
    has_splits = all((folder / name).is_file() for name in FILES.values())
    return has_splits and not any((folder / name).is_file() for name in OTHERS)


class _NewsImages:
    """Finds an image by the URL that it was downloaded from."""

    def __init__(self, folder: Path) -> None:
        self._images = images = ImageFolder(folder)
        self._by_name = NamedImages(images, FOLDERS)
        self._by_digest: dict[str, str] = {}
        for parent in FOLDERS:
            for name in sorted(images.names(parent)):
                if Path(name).suffix.lower() in IMAGE_ENDINGS:
                    self._by_digest.setdefault(name[:DIGEST].lower(), f"{parent}/{name}")

    def find(self, url: str) -> str | None:
        """The file, relative to the raw folder; None if there is none."""
        name = url.rstrip("/").rpartition("/")[2]
        if not name:
            return None
        for text in dict.fromkeys((name, percent_decoded(name), url)):
            digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            if digest in self._by_digest:
                return self._images.checked(self._by_digest[digest])
        return self._by_name.find(name)


NOTICED = (
    "missing_mention_images",
    "sentences_without_mention",
    "surface_forms_beside_their_offsets",
    "urls_without_title",
    "mentions_of_titles_without_qid",
)


def _links(
    file: Path, split: str, qids: dict[str, str], images: _NewsImages, noticed: dict[str, int]
) -> Iterator[tuple[Mention, str, str | None]]:
    """The mentions of one split, where they stand, and the titles that they link to.

    Split and row name a sentence.
    """
    for number, item in enumerate(read_json_list(file), start=1):
        where, name = f"{file}, row {number}", f"{split}-{number}"
        sentence, url, mentions = _sentence(item, where)
        image = images.find(url) if url.strip() else None
        noticed["missing_mention_images"] += bool(url.strip()) and image is None
        noticed["sentences_without_mention"] += not mentions
        for place, listed in enumerate(mentions, start=1):
            at = f"{where}, mention {place}"
            form, start, end, page = _mention(listed, at)
            title = title_of_url(page)
            gold = None if title is None else qids.get(title)
            noticed["surface_forms_beside_their_offsets"] += sentence[start:end] != form
            noticed["urls_without_title"] += title is None
            noticed["mentions_of_titles_without_qid"] += title is not None and gold is None
            mention = Mention(name, name, form, sentence, image, gold, in_kb=False, split=split)
            yield mention, at, title


def read_wikidiverse(folder: Path) -> RawDataset:
    """Reads a folder with WikiDiverse's lists.

    Raises:
        DataError: naming file, row, key and remedy of the first thing that is wrong.
    """
    files = {
        split: require_file(folder / name, f"it holds the sentences of split {split}")
        for split, name in FILES.items()
    }
    title_file, qids = read_titles(folder)
    entity_file, entities, entity_counts = read_entities(folder)
    images, noticed = _NewsImages(folder), dict.fromkeys(NOTICED, 0)
    found = [
        each for split, file in files.items() for each in _links(file, split, qids, images, noticed)
    ]
    mentions, mention_counts = mentions_of([(mention, where) for mention, where, _ in found])
    titles_without_qid = {title for _, _, title in found if title is not None} - qids.keys()
    return dataset_of(
        "wikidiverse",
        mentions,
        entities,
        noticed | {"titles_without_qid": len(titles_without_qid)} | entity_counts | mention_counts,
        (*files.values(), title_file, entity_file),
    )


def _sentence(item: Any, where: str) -> tuple[str, str, list[Any]]:
    """Text, image URL (empty if there is none) and mentions of one item."""
    if not isinstance(item, list) or len(item) not in (3, 4) or not isinstance(item[-1], list):
        raise DataError(f"{where}: must be a list {ITEM}, the topic may be left out")
    url = "" if item[1] is None else plain_text(item[1], f"{where}, image URL")
    return plain_text(item[0], f"{where}, sentence"), url, item[-1]


def _mention(item: Any, where: str) -> tuple[str, int, int, str]:
    """Surface form, start, end and URL (empty if there is none) of one mention."""
    if not isinstance(item, list) or len(item) != len(MENTION_PARTS):
        raise DataError(f"{where}: must be a list [{', '.join(MENTION_PARTS)}]")
    form, _, start, end, page = item
    for name, value in (("start", start), ("end", end)):
        if type(value) is not int or value < 0:
            raise DataError(f"{where}, {name}: must be a whole number from 0, found {shown(value)}")
    url = "" if page is None else plain_text(page, f"{where}, Wikipedia URL")
    return plain_text(form, f"{where}, surface form"), start, end, url


def page_title(text: str) -> str:
    """A page's title in one spelling: decoded, blanks for underscores, NFC, the first letter large."""
    plain = " ".join(percent_decoded(text).replace("_", " ").split())
    title = unicodedata.normalize("NFC", plain)
    large = title[:1].upper()
    # Of ß and its kin there is no large form of one letter: such a title stays small.
    return unicodedata.normalize("NFC", large + title[1:]) if len(large) == 1 else title


def title_of_url(url: str) -> str | None:
    """The title of the page that a URL leads to, without the section; None if it leads to no page.

    What stands before `/wiki/` is not looked at: URLs typed by hand begin with half an `https://`.
    """
    _, path, name = url.strip().partition("/wiki/")
    title = page_title(name.partition("#")[0]) if path else ""
    return title or None


def read_titles(folder: Path) -> tuple[Path, dict[str, str]]:
    """The table's file, and the qid of each title in it.

    title2qid.json is one object, title -> qid; title2qid.csv has the columns title and qid. A qid that is
    null, empty or nil leaves the title without one.

    Raises:
        DataError: if there is no table, or two, or one title has two qids.
    """
    found = [path for name in TITLE_TABLES if (path := folder / name).is_file()]
    if len(found) != 1:
        wrong = f"holds {' and '.join(TITLE_TABLES)}; remove one of them"
        missing = f"no {' or '.join(TITLE_TABLES)}; write there which qid each Wikipedia title has"
        raise DataError(f"{folder}: {wrong if found else missing}")
    file = found[0]
    qids: dict[str, str] = {}
    for where, title, value in _pairs(file):
        qid = gold_of(None if value is None else plain_text(value, where))
        if qid is not None and qids.setdefault(page_title(title), qid) != qid:
            raise DataError(
                f"{where}: title {page_title(title)!r} has qid {qids[page_title(title)]!r} already; "
                "keep one"
            )
    return file, qids


def _pairs(file: Path) -> Iterable[tuple[str, str, Any]]:
    """Where it stands, title and qid."""
    if file.suffix == ".json":
        pairs = read_json_object(file).items()
        return ((f"{file}, key {title!r}", title, value) for title, value in pairs)
    rows = read_rows(file)
    return ((f"{row.where}, key `qid`", row.filled("title"), row.text("qid")) for row in rows)
