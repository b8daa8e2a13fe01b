"""What tests of bundles share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmoe import Linker, LinkResult, Query
from mmoe.records import Entity, Mention, read_records

from pipeline.layout import Layout
from tests.pipeline.tiny import corrupt_image

at = Layout("tiny")


def queries(built: Path) -> list[Query]:
    mentions = read_records(built / at.mentions, Mention)
    unread = corrupt_image()
    images = [
        None if m.image in (None, unread) else built / at.raw / str(m.image) for m in mentions
    ]
    return [Query(m.surface_form, m.context, i) for m, i in zip(mentions, images, strict=True)]


def opened(bundle: Path | str) -> Linker:
    return Linker.from_pretrained(bundle, device="cpu")


def links(linker: Linker, asked: Sequence[Query]) -> list[LinkResult]:
    return list(linker.link_many(asked, top_k=min(10, len(linker.entities))))


def same_order(found: list[LinkResult], wanted: list[LinkResult]) -> bool:
    return [[link.qid for link in r] for r in found] == [[link.qid for link in r] for r in wanted]


def items_of(built: Path) -> list[dict[str, Any]]:
    lines = (built / at.raw / "wikidata.jsonl").read_text("utf-8").splitlines()
    items = [json.loads(line.rstrip(",")) for line in lines if len(line) > 2]
    return [item for item in items if item["id"].startswith("Q")]


def taken_out(linker: Linker, number: int = 4) -> tuple[list[Entity], list[str]]:
    gone = list(linker.entities[1 : 1 + number])
    return gone, [entity.qid for entity in gone]
