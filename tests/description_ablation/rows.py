"""Choices of several backends for a few mentions."""

from __future__ import annotations

from mmoe.records import Description


def choice(
    mention_id: str,
    backend: str,
    description: str | None,
    *,
    is_gold: bool | None = None,
    num: int = 3,
) -> Description:
    """A choice whose qid follows from its description, among `num` candidates."""
    qid = None if description is None else f"Q-{description}"
    return Description(mention_id, qid, description, backend, None, num, is_gold)
