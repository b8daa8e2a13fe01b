"""Lines as the Wikidata dump writes them, and records to look for in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmoe.records import Mention

from pipeline.layout import Layout


def item_line(
    qid: str,
    label: str | None = None,
    description: str | None = None,
    aliases: Sequence[str] = (),
    sitelinks: Sequence[str] = (),
    language: str = "en",
) -> str:
    """An item as one line of the dump, claims included."""
    return json.dumps(item(qid, label, description, aliases, sitelinks, language))


def item(
    qid: str,
    label: str | None,
    description: str | None,
    aliases: Sequence[str],
    sitelinks: Sequence[str],
    language: str,
) -> dict[str, Any]:
    def term(value: str) -> dict[str, str]:
        return {"language": language, "value": value}

    return {
        "type": "item",
        "id": qid,
        "labels": {} if label is None else {language: term(label)},
        "descriptions": {} if description is None else {language: term(description)},
        "aliases": {language: [term(alias) for alias in aliases]} if aliases else {},
        "claims": {"P31": [{"mainsnak": {"snaktype": "somevalue"}, "rank": "deprecated"}]},
        "sitelinks": {site: {"site": site, "title": "x", "badges": []} for site in sitelinks},
    }


def write_slice(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def mention(word: str, mention_id: str = "m", gold_qid: str | None = None) -> Mention:
    return Mention(
        mention_id=mention_id,
        sentence_id=mention_id,
        surface_form=word,
        context=f"They saw {word}.",
        image=None,
        gold_qid=gold_qid,
        in_kb=gold_qid is not None,
        split="test",
    )


def last_run(at: Layout) -> dict[str, Any]:
    """What stage retrieve has logged of its last run: seconds and requests of each source."""
    lines = (at.work("retrieve") / "log.jsonl").read_text("utf-8").splitlines()
    run: dict[str, Any] = json.loads(lines[-1])
    return run
