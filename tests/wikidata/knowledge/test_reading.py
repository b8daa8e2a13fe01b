"""The fast ways of reading a dump equal the obvious ones."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.wikidata.dump import id_of
from mmoe.wikidata.entity import label_of
from mmoe.wikidata.knowledge.drafts import Draft
from mmoe.wikidata.knowledge.reading import most_linked

IDS = st.from_regex(r"[QPL][1-9][0-9]{0,3}", fullmatch=True)


@given(
    entity=st.dictionaries(
        st.sampled_from(["type", "id", "labels", "x"]),
        IDS | st.sampled_from(["item", "", '","id":"Q7"']) | st.integers() | st.none(),
    )
)
def test_an_id_is_what_json_says_whatever_the_order_of_keys(entity: dict[str, object]) -> None:
    content = json.dumps(entity, separators=(",", ":")).encode()
    expected = entity.get("id")
    assert id_of(content) == (expected if isinstance(expected, str) else None)


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"nonsense", b'{"type":"item","id":7}'])
def test_a_line_without_an_id(content: bytes) -> None:
    assert id_of(content) is None


@given(sitelinks=st.lists(st.none() | st.integers(0, 3), max_size=12), number=st.integers(1, 14))
def test_the_most_linked_are_the_first_of_all_in_order(
    sitelinks: list[int | None], number: int
) -> None:
    drafts = [Draft(f"Q{n}", "x", None, None, links, {}) for n, links in enumerate(sitelinks, 1)]
    ordered = sorted(drafts, key=lambda draft: (-(draft.sitelinks or 0), int(draft.qid[1:])))
    assert most_linked(drafts, number) == {draft.qid for draft in ordered[:number]}


def test_labels_in_the_first_language_that_has_one() -> None:
    labels = {code: {"value": f"label {code}"} for code in ("de", "mul", "fr")}
    assert label_of({"labels": labels}, ["en", "fr", "de"]) == "label fr"
    assert label_of({"labels": labels}, ["en"]) == "label mul"
    assert label_of({"labels": {"de": {"value": "x"}}}, ["en"]) is None
    assert label_of({"labels": {"en": {"value": " "}, "mul": {"value": "x  y"}}}, ["en"]) == "x y"
    odd: list[object] = [[], None, {"en": "x"}]
    assert [label_of({"labels": labels}, ["en"]) for labels in odd] == [None] * 3
