"""The mention side of the encoder's input: word, context and the chosen description."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mmoe.errors import RankingError
from mmoe.records import Description, Mention, TextInput


def mention_texts(
    mentions: Sequence[Mention], descriptions: Iterable[Description]
) -> list[TextInput]:
    """The text to encode for each mention, in the mentions' order.

    Raises:
        RankingError: if a mention has no description record.
    """
    text_of = {record.mention_id: record.description for record in descriptions}
    missing = [mention.mention_id for mention in mentions if mention.mention_id not in text_of]
    if missing:
        raise RankingError(
            f"mention {missing[0]!r} and {len(missing) - 1} others have no description record; "
            "run the stage rank again"
        )
    return [
        TextInput(
            id=mention.mention_id,
            name=mention.surface_form,
            body=mention.context,
            description=text_of[mention.mention_id],
        )
        for mention in mentions
    ]


def ablation_texts(
    mentions: Sequence[Mention], descriptions: Iterable[Description]
) -> list[TextInput]:
    """The different texts that the choices of several backends make of the mentions.

    Returns:
        One text a `text_id`, which is its id, in order of first appearance.
    """
    by_id = {mention.mention_id: mention for mention in mentions}
    texts: dict[str, TextInput] = {}
    for record in descriptions:
        mention, name = by_id[record.mention_id], record.text_id
        if name not in texts:
            texts[name] = TextInput(name, mention.surface_form, mention.context, record.description)
    return list(texts.values())
