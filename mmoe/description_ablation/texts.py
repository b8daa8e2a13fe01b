"""The texts that different choices make of the test mentions; each is ranked once, whoever chose it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mmoe.evaluation.ranks import Ranks
from mmoe.records import Description, Mention, TextInput

RANKS = pa.schema(
    [
        pa.field("mention_id", pa.string(), nullable=False),
        pa.field("backend", pa.string(), nullable=False),
        pa.field("system", pa.string(), nullable=False),
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("rank_optimistic", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True)
class ChoiceTexts:
    """T texts and the mentions that they are of.

    Attributes:
        texts: ids are the `text_id` of the choices.
        mentions: of each text, so that a mention stands once for each of its texts.
    """

    texts: list[TextInput]
    mentions: list[Mention]

    @classmethod
    def of(cls, choices: Iterable[Description], mentions: Sequence[Mention]) -> ChoiceTexts:
        """The different texts that choices make of the mentions, by first appearance."""
        by_id = {mention.mention_id: mention for mention in mentions}
        found: dict[str, tuple[TextInput, Mention]] = {}
        for choice in choices:
            name, m = choice.text_id, by_id[choice.mention_id]
            text = TextInput(name, m.surface_form, m.context, choice.description)
            found.setdefault(name, (text, m))
        return cls([text for text, _ in found.values()], [m for _, m in found.values()])

    @property
    def ids(self) -> list[str]:
        """One a text."""
        return [text.id for text in self.texts]

    def queries(self) -> list[str]:
        """Word, context and description of each, for a search by words."""
        return [f"{text.name} {text.body} {text.description or ''}" for text in self.texts]

    def rank_table(
        self, choices: Sequence[Description], ranks_by_system: Mapping[str, Ranks]
    ) -> pa.Table:
        """One row for each system and choice, in the order of both; the ranks are in the texts' order."""
        if not ranks_by_system:
            return RANKS.empty_table()
        row_of = {text_id: row for row, text_id in enumerate(self.ids)}
        rows = [row_of[choice.text_id] for choice in choices]
        return pa.concat_tables(
            pa.table(
                [
                    [choice.mention_id for choice in choices],
                    [choice.backend for choice in choices],
                    [system] * len(choices),
                    ranks.pessimistic[rows],
                    ranks.optimistic[rows],
                ],
                schema=RANKS,
            )
            for system, ranks in ranks_by_system.items()
        )
