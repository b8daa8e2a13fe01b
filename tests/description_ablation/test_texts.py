"""Every different text stands once, and each choice finds its own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.evaluation.ranks import Ranks

from tests.descriptions.rows import choice, mention

MENTIONS = [mention("a", "By the sea."), mention("b:1", "In town.", surface_form="Ben")]


def test_equal_descriptions_of_a_mention_share_a_text() -> None:
    choices = [
        choice("a", "none", None),
        choice("b:1", "none", None),
        choice("a", "first", "painter"),
        choice("a", "lexical", "painter"),
        choice("b:1", "first", "painter"),
    ]
    texts = ChoiceTexts.of(choices, MENTIONS)
    assert [text.description for text in texts.texts] == [None, None, "painter", "painter"]
    assert [m.mention_id for m in texts.mentions] == ["a", "b:1", "a", "b:1"]
    assert texts.queries()[2] == "Ada By the sea. painter"
    assert texts.queries()[1].split() == ["Ben", "In", "town."]
    assert len(set(texts.ids)) == 4


DESCRIPTIONS = st.sampled_from([None, "x", "y", ""])


@given(st.lists(st.tuples(st.sampled_from(["a", "b:1"]), DESCRIPTIONS), max_size=8))
def test_ranks_are_those_of_the_choices_own_texts(pairs: list[tuple[str, str | None]]) -> None:
    choices = [choice(mention_id, "any", text) for mention_id, text in pairs]
    texts = ChoiceTexts.of(choices, MENTIONS)
    numbers = np.arange(1, len(texts.texts) + 1)
    table = texts.rank_table(choices, {"s": Ranks(numbers, -numbers), "t": Ranks(numbers, numbers)})
    rows = table.to_pylist()
    assert [row["system"] for row in rows] == ["s"] * len(pairs) + ["t"] * len(pairs)
    for (mention_id, text), row in zip(pairs, rows[: len(pairs)], strict=True):
        found = row["rank"] - 1
        assert (row["mention_id"], row["backend"]) == (mention_id, "any")
        assert texts.mentions[found].mention_id == mention_id
        assert texts.texts[found].description == text
        assert row["rank_optimistic"] == -row["rank"]
