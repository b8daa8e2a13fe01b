"""A small folder with WikiDiverse's lists, with the oddities that its readers meet."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tests.datasets.folders import Table, image, write_jsonl
from tests.datasets.mimic_folder import write_json

PAGE = "https://en.wikipedia.org/wiki/"
IMAGE = "https://upload.example.org/a/ab/"


def digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def link(word: str, sentence: str, page: str = f"{PAGE}Lake_Geneva") -> list[Any]:
    """A mention at its place in the sentence."""
    start = sentence.find(word)
    return [word, "Location", start, start + len(word), page]


def item(sentence: str = "Boats on the Lake.", *links: Any, url: Any = "") -> list[Any]:
    """An item with the topic; one mention, Lake, if no other is given."""
    return [sentence, url, "travel", list(links) or [link("Lake", sentence)]]


def write_wikidiverse(
    folder: Path, train: list[Any] | None = None, kb: Table | None = None, qids: Any = None
) -> Path:
    """A folder whose valid and test splits hold one mention each."""
    write_json(folder / "train.json", [item()] if train is None else train)
    write_json(folder / "valid.json", [item("A Lake in May.")])
    write_json(folder / "test.json", [item("A Lake in June.")])
    write_json(folder / "title2qid.json", {"Lake Geneva": "Q1"} if qids is None else qids)
    rows = [{"qid": "Q1", "name": "Lake Geneva"}] if kb is None else kb
    write_jsonl(folder / "entities.jsonl", rows)
    return folder


def write_odd_wikidiverse(folder: Path) -> Path:
    """All oddities at once; the tests say what each is read as."""
    text = "Zoë and Ann at Lake Léman."
    train = [
        item(
            text,
            link("Zoë", text, f"{PAGE}zo%C3%AB_Smith#Life"),
            ["Ann", "Person", 0, 3, "hhttps://en.wikipedia.org/wiki/Ann_Nobody"],
            link("Lake Léman", text, f"{PAGE}Lake_Geneva"),
            ["Lac", "Location", 16, 19, f"{PAGE}Ann_Nobody"],
            link("Ann", text, "nil"),
            url=f"{IMAGE}Zo%C3%AB.svg",
        ),
        ["No topic.", f"{IMAGE}Gone.jpg", [link("topic", "No topic.", f"{PAGE}Topic")]],
        ["Nothing to link.", None, "news", []],
    ]
    kb: Table = [
        {"qid": "Q1", "name": "Lake Geneva", "images": ["kb/Q1.jpg", "kb/gone.jpg"]},
        {"qid": "Q2", "name": "Zoë Smith", "topic": "x"},
    ]
    qids = {"Lake_Geneva": "Q1", "Zoe\u0308 Smith": "Q2", "Topic": "Q9", "Blank": None, "None": ""}
    write_wikidiverse(folder, train, kb, qids)
    image(folder, f"wikinewsImgs/{digest('Zo%C3%AB.svg')}.png")
    image(folder, "kb/Q1.jpg")
    return folder
