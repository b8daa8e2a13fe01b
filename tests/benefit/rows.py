"""Choices of several backends for a few mentions."""

from __future__ import annotations

from mmoe.records import Description


def choice(
    mention_id: str, backend: str, description: str | None, *, is_gold: bool | None = None
) -> Description:
    """A choice whose qid follows from its description."""
    qid = None if description is None else f"Q-{description}"
    return Description(mention_id, qid, description, backend, None, 3, is_gold)
