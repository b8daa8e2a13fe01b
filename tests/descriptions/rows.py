"""Mentions and candidates to rank."""

from __future__ import annotations

from mmoe.records import Candidate, Description, Mention


def mention(
    mention_id: str, context: str = "", gold_qid: str | None = None, surface_form: str = "Ada"
) -> Mention:
    return Mention(
        mention_id=mention_id,
        sentence_id=mention_id,
        surface_form=surface_form,
        context=context,
        image=None,
        gold_qid=gold_qid,
        in_kb=gold_qid is not None,
        split="test",
    )


def candidates(mention_id: str, *descriptions: str, label: str = "Ada") -> list[Candidate]:
    """One candidate a description; their qids are Q1, Q2, ..."""
    return [
        Candidate(mention_id, position, f"Q{position + 1}", label, description, "label", None)
        for position, description in enumerate(descriptions)
    ]


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
