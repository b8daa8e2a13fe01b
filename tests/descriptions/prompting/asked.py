"""Settings, questions and replies as the tests want them."""

from __future__ import annotations

from typing import Any

from mmoe.descriptions.llm_client.types import ANSWERED, Reply
from mmoe.descriptions.prompting import PromptSettings, Question, questions_for
from mmoe.records import Candidate, Mention


def settings(**changes: Any) -> PromptSettings:
    return PromptSettings(**({"model": "m-1"} | changes))


def asked(mention: Mention, candidates: list[Candidate], **changes: Any) -> Question:
    """The one question about a mention."""
    (question,) = questions_for([mention], {mention.mention_id: candidates}, settings(**changes))
    return question


def last_message(question: Question) -> str:
    content = question.request.body["messages"][-1]["content"]
    assert isinstance(content, str)
    return content


def reply(
    text: str | None,
    outcome: str = ANSWERED,
    top_tokens: list[tuple[str, float]] | None = None,
) -> Reply:
    return Reply("k", outcome, text=text, top_tokens=top_tokens)
