"""Whatever ids a file gives, mentions get ids of their own and sentences keep theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets.published import distinct_entities, mentions_of
from mmoe.errors import DataError
from mmoe.records import Entity, Mention

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "x"]),
        st.sampled_from(["train", "test"]),
        st.sampled_from(["", "One.", "Two."]),
    ),
    max_size=12,
)


def listed(rows: list[tuple[str, str, str]]) -> list[tuple[Mention, str]]:
    return [
        (Mention(given_id, given_id, "w", sentence, None, None, False, split), f"row {n}")
        for n, (given_id, split, sentence) in enumerate(rows)
    ]


@given(ROWS)
def test_ids_are_unique_and_sentences_are_told_apart(rows: list[tuple[str, str, str]]) -> None:
    mentions, _ = mentions_of(listed(rows))
    assert len({m.mention_id for m in mentions}) == len(rows)
    ids = [row[0] for row in rows]
    assert [m.mention_id.partition("#")[0] for m in mentions] == ids
    assert [m.mention_id in ids for m in mentions] == [ids.count(name) == 1 for name in ids]
    for one in mentions:
        for other in mentions:
            same = (one.split, one.context) == (other.split, other.context)
            if one.context:
                assert (one.sentence_id == other.sentence_id) == same
            elif not same:
                assert one.sentence_id != other.sentence_id


def test_repeated_entities_are_counted_and_differing_ones_refused() -> None:
    one, same = Entity("Q1", "A", "x", ()), Entity("Q1", "A", "x", ())
    found, repeated = distinct_entities([(one, "row 1"), (same, "row 2"), (same, "row 3")])
    assert (found, repeated) == ([one], 2)
    with pytest.raises(DataError, match="row 9: qid 'Q1' stands already in row 1 with other"):
        distinct_entities([(one, "row 1"), (Entity("Q1", "A", "x", ("p.jpg",)), "row 9")])
