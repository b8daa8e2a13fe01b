"""Token containment by DuckDB equals a loop over all words and entities."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.names import name_tokens, normalise_name
from mmoe.records import Candidate, Entity
from mmoe.wikidata.matching import Matching
from mmoe.wikidata.query import find_in_kb

from tests.wikidata.slices import mention

NAMES = ["George Washington", "Washington", "Washington, George Jr.", "Denzel Washington", "Oslo"]
KB = [Entity(f"Q{row}", name, f"text {row}", ()) for row, name in enumerate(NAMES, start=1)]


def by_tokens(limit: int) -> Matching:
    return Matching("tokens", max_candidates=limit)


def test_exact_name_then_short_names_then_the_kbs_order() -> None:
    assert find_in_kb(KB, [mention("washington")], by_tokens(10)) == [
        Candidate("m", 0, "Q2", "Washington", "text 2", "label", None),
        Candidate("m", 1, "Q1", "George Washington", "text 1", "tokens", None),
        Candidate("m", 2, "Q4", "Denzel Washington", "text 4", "tokens", None),
        Candidate("m", 3, "Q3", "Washington, George Jr.", "text 3", "tokens", None),
    ]


def test_no_mention_and_no_entity_find_nothing() -> None:
    assert find_in_kb(KB, [], by_tokens(10)) == []
    assert find_in_kb([], [mention("Oslo")], by_tokens(10)) == []


def test_an_exact_match_takes_no_longer_names() -> None:
    found = find_in_kb(KB, [mention("washington"), mention("george", "n")], Matching())
    assert [(c.mention_id, c.qid, c.match) for c in found] == [("m", "Q2", "label")]


def test_a_suffix_is_left_off_where_it_may_be() -> None:
    words = [mention("Oslo (city)", "a"), mention("(Oslo)", "b")]
    assert find_in_kb(KB, words, Matching()) == []
    found = find_in_kb(KB, words, Matching(strip_suffix=True))
    assert [(c.mention_id, c.qid, c.match) for c in found] == [("a", "Q5", "label")]
    both = [*KB, Entity("Q6", "Oslo (city)", "", ())]
    found = find_in_kb(both, words[:1], Matching("tokens", strip_suffix=True))
    assert [c.qid for c in found] == ["Q5", "Q6"]


def oracle(entities: list[Entity], word: str) -> list[tuple[str, str]]:
    tokens = set(name_tokens(word))
    found = []
    for position, entity in enumerate(entities):
        is_other = normalise_name(entity.name) != normalise_name(word)
        holds = tokens and tokens <= set(name_tokens(entity.name))
        if normalise_name(word) and (holds or not is_other):
            found.append((is_other, len(name_tokens(entity.name)), position, entity.qid))
    return [(qid, "tokens" if is_other else "label") for is_other, _, _, qid in sorted(found)]


NAME = st.lists(st.sampled_from(["ada", "ben", "Ada", "cy-d", "D", "!", "é"]), max_size=4).map(
    " ".join
)


@settings(max_examples=40, deadline=None)
@given(names=st.lists(NAME, max_size=9), words=st.lists(NAME, max_size=5), limit=st.integers(1, 4))
def test_the_query_equals_a_loop(names: list[str], words: list[str], limit: int) -> None:
    entities = [Entity(f"Q{row}", name, "", ()) for row, name in enumerate(names, start=1)]
    found = find_in_kb(
        entities, [mention(w, f"m{row}") for row, w in enumerate(words)], by_tokens(limit)
    )
    for row, word in enumerate(words):
        of_word = [c for c in found if c.mention_id == f"m{row}"]
        assert [(c.qid, c.match) for c in of_word] == oracle(entities, word)[:limit]
        assert [c.position for c in of_word] == list(range(len(of_word)))
