"""Runs of the stage with a language model, on mentions of our own and a server on the loopback."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from mmoe.config.llm import LlmParams
from mmoe.config.load import ParamsFile
from mmoe.records import Candidate, Description, Entity, Mention, read_records, write_records

from pipeline.layout import Layout
from pipeline.rank import rank
from tests.config.sheets import DEFAULTS
from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake, Handler, Trick
from tests.descriptions.rows import candidates, mention

DESCRIBED = ("painter", "sailor", "cook")


def choose(word: str) -> Trick:
    """A model that looks for a word among the candidates and answers their number, or 0."""

    def answer(handler: Handler) -> None:
        found = re.findall(rf"^\W*(\d+)\b.*\b{word}\b", handler.asked().question, re.MULTILINE)
        tricks.says(json.dumps({"choice": int(found[-1]) if found else 0}))(handler)

    return answer


def write(at: Layout, *contexts: str) -> None:
    mentions = [mention(f"m{n}", context, "Q2") for n, context in enumerate(contexts)]
    found = [row for m in mentions for row in candidates(m.mention_id, *DESCRIBED)]
    write_records(at.mentions, Mention, mentions)
    write_records(at.entities, Entity, [])
    write_records(at.candidates, Candidate, found, made_of=at.records)


def logs(at: Layout) -> list[dict[str, Any]]:
    """The lines that ended runs have added to the log."""
    lines = (at.work("rank") / "log.jsonl").read_text("utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == "ended"]


def ledger(at: Layout) -> list[dict[str, Any]]:
    return [json.loads(line) for line in at.ledger.read_text("utf-8").splitlines()]


def run(at: Layout, fake: Fake, *, estimate: bool = False, **changes: object) -> list[Description]:
    """Runs the stage with changes of the sections rank and llm."""
    values = {"backend": "openai", "base_url": fake.url} | changes
    sections = {name: dict(DEFAULTS[name]) for name in ("rank", "llm", "encode")}
    for name, value in values.items():
        sections["llm" if name in LlmParams.model_fields else "rank"][name] = value
    YAML(typ="safe", pure=True).dump(sections, Path("params.yaml"))
    rank(at, ParamsFile(Path("params.yaml")), estimate=estimate)
    return [] if estimate else read_records(at.descriptions, Description)
