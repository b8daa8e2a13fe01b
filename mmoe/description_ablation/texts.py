"""The texts that different choices make of the test mentions; each is ranked once, whoever chose it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.evaluation.ranks import Ranks
from mmoe.records import Description, Mention, TextInput


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
    def of(cls, texts: list[TextInput], mentions: Sequence[Mention]) -> ChoiceTexts:
        """Finds the mention of each text.

        Args:
            mentions: those that the texts are of, and any others.
        """
        by_id = {mention.mention_id: mention for mention in mentions}
        return cls(texts, [by_id[text.id.rpartition(":")[0]] for text in texts])

    @property
    def ids(self) -> list[str]:
        """One a text."""
        return [text.id for text in self.texts]

    def queries(self) -> list[str]:
        """Word, context and description of each, for a search by words."""
        return [f"{text.name} {text.body} {text.description or ''}" for text in self.texts]

    def ranks_of(self, choices: Sequence[Description], ranks: Ranks) -> Ranks:
        """Looks up the ranks of some choices.

        Args:
            ranks: of all texts, in their order.
        """
        rows = self.rows_of(choices)
        return Ranks(ranks.pessimistic[rows], ranks.optimistic[rows])

    def rows_of(self, choices: Sequence[Description]) -> NDArray[np.int64]:
        """Where the texts of some choices stand."""
        row_of = {text.id: row for row, text in enumerate(self.texts)}
        return np.array([row_of[choice.text_id] for choice in choices], dtype=np.int64)
