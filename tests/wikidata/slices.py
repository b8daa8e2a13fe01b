"""A slice of the Wikidata dump, and records to look for in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmoe.records import Mention

from pipeline.layout import Layout


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
