"""Questions and replies as the tests want them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmoe.config.rank import RankParams
from mmoe.descriptions.llm_client.types import Outcome, Reply
from mmoe.descriptions.prompting import Question, QuestionWriter
from mmoe.records import Candidate, Mention


def writer(image_folder: Path | None = None, **changes: Any) -> QuestionWriter:
    return QuestionWriter(RankParams(**({"model": "m-1"} | changes)), image_folder)


def written(
    mention: Mention,
    candidates: list[Candidate],
    image_folder: Path | None = None,
    **changes: Any,
) -> Question:
    """The question about a mention, with changes of section rank."""
    return writer(image_folder, **changes).question(mention, candidates)


def last_message(question: Question) -> str:
    content = question.request.body["messages"][-1]["content"]
    assert isinstance(content, str)
    return content


def reply(
    text: str | None,
    outcome: str = Outcome.ANSWERED,
    top_tokens: list[tuple[str, float]] | None = None,
) -> Reply:
    return Reply("k", Outcome(outcome), text=text, top_tokens=top_tokens)
