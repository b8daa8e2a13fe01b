"""Fine scores lie within their bounds, and a mention's own entities score as in the table of all pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mmoe.model import attention
from mmoe.model.attention import attention_bounds, attention_scores
from mmoe.model.encoded import (
    EncodedUnit,
    concatenate,
    inner_scores,
    inner_scores_of_own,
    select,
)
from mmoe.model.features import SideFeatures
from mmoe.model.packed import Packed

from tests.model.matchers import random_matcher, random_side, sides, take

FEW = settings(deadline=None, max_examples=25)


@given(sides(4), sides(5), st.integers(0, 2**20), st.floats(0.1, 30))
@FEW
def test_bounds_hold(
    mentions: SideFeatures, entities: SideFeatures, seed: int, scale: float
) -> None:
    matcher = random_matcher(seed=seed)
    with torch.no_grad():
        for unit in ("text", "vision"):
            for parameter in matcher.unit(unit).parameters():
                parameter.mul_(scale ** (1 / 4))  # sharp attention comes near its bounds
        m_sides, e_sides = matcher.encode_mentions(mentions), matcher.encode_entities(entities)
        scores = matcher.scores(m_sides, e_sides)["overall"]
        bounds = [each(m_sides, e_sides) for each in (matcher.quick_bounds, matcher.bounds)]
    slack = 1e-5 * torch.stack(bounds[0]).abs().amax(dim=(0, 2))[:, None]
    for low, high in [*bounds, (scores, scores)]:
        assert (bounds[0][0] <= low + slack).all()  # the tight ones lie within the quick ones
        assert (high <= bounds[0][1] + slack).all()
        assert (low <= scores + slack).all()
        assert (scores <= high + slack).all()


def test_bounds_of_a_single_token_are_tight() -> None:
    matcher = random_matcher()
    with torch.no_grad():
        mention = matcher.encode_mentions(random_side([1], [1], seed=1))
        entity = matcher.encode_entities(random_side([3, 2], [2, 0], seed=2))
    for name in ("text", "vision"):
        fine = attention_scores(mention[name], entity[name])
        for bound in attention_bounds(mention[name], entity[name]):
            torch.testing.assert_close(bound, fine)


def test_bounds_are_reached_by_attention_that_falls_on_one_token() -> None:
    keys = torch.tensor([[100.0, 0.0], [0.0, 100.0]])
    values = torch.tensor([[1.0, 0.0], [5.0, 0.0]])
    like = random_side([2], seed=0).text.with_values(keys)
    mention = EncodedUnit(torch.zeros(1, 1), {"keys": like, "values": like.with_values(values)})
    queries = random_side([1, 1], seed=0).text.with_values(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    entities = EncodedUnit(torch.zeros(2, 1), {"queries": queries, "entity_vector": vectors})
    low, high = attention_bounds(mention, entities)
    assert (low.tolist(), high.tolist()) == ([[1.0, 1.0]], [[5.0, 5.0]])
    assert attention_scores(mention, entities).tolist() == [[1.0, 5.0]]


def test_fine_scores_do_not_depend_on_how_many_are_computed_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matcher = random_matcher()
    with torch.no_grad():
        mentions = matcher.encode_mentions(random_side([3, 1, 2], [1, 0, 2], seed=1))
        entities = matcher.encode_entities(random_side([2, 5, 1, 4], [1, 1, 0, 2], seed=2))
        whole = attention_scores(mentions["text"], entities["text"])
        for block in (1, 40):
            monkeypatch.setitem(attention.BLOCK, "cpu", block)
            found = attention_scores(mentions["text"], entities["text"])
            torch.testing.assert_close(found, whole)


@given(sides(3), sides(4), st.data(), st.integers(0, 2**20))
@FEW
def test_own_scores_are_entries_of_the_table(
    mentions: SideFeatures, entities: SideFeatures, data: st.DataObject, seed: int
) -> None:
    matcher = random_matcher(seed=seed)
    each = data.draw(st.integers(1, 3))
    position = st.integers(0, len(entities) - 1)
    count = each * len(mentions)
    own = torch.tensor(data.draw(st.lists(position, min_size=count, max_size=count)))
    with torch.no_grad():
        m_sides, e_sides = matcher.encode_mentions(mentions), matcher.encode_entities(entities)
        table = matcher.scores(m_sides, e_sides)
        found = matcher.scores_of_own(m_sides, select(e_sides, own))
    for name, scores in found.items():
        wanted = table[name].gather(1, own.view(len(mentions), each))
        torch.testing.assert_close(scores, wanted, rtol=1e-5, atol=3e-5)


def test_sparse_vectors_add_to_the_inner_product() -> None:
    rng = np.random.default_rng(0)
    dense_m, dense_e = rng.integers(0, 3, (2, 7)), rng.integers(0, 3, (4, 7))
    mentions = EncodedUnit(torch.ones(2, 1), sparse_BV=csr_array(dense_m))
    parts = [
        EncodedUnit(torch.ones(2, 1), sparse_BV=csr_array(half))
        for half in (dense_e[:2], dense_e[2:])
    ]
    entities = concatenate([{"words": part} for part in parts])["words"]
    wanted = torch.from_numpy(1 + dense_m @ dense_e.T).float()
    assert torch.equal(inner_scores(mentions, entities), wanted)
    own = torch.tensor([3, 0, 1, 1])
    found = inner_scores_of_own(mentions, entities.select(own))
    assert torch.equal(found, wanted.gather(1, own.view(2, 2)))


@given(sides(5), st.data())
@FEW
def test_selecting_and_concatenating_sides_is_encoding_those_rows(
    features: SideFeatures, data: st.DataObject
) -> None:
    matcher = random_matcher()
    rows = data.draw(st.lists(st.integers(0, len(features) - 1), min_size=1, max_size=5))
    cut = data.draw(st.integers(0, len(rows) - 1))
    at = torch.tensor(rows)
    with torch.no_grad():
        mentions, entities = matcher.encode_mentions(features), matcher.encode_entities(features)
        chosen = take(features, rows)
        wanted_m, wanted_e = matcher.encode_mentions(chosen), matcher.encode_entities(chosen)
    parts = [select(entities, at[: cut + 1]), select(entities, at[cut + 1 :])]
    for name in matcher.unit_names:
        _assert_same(mentions[name].select(at), wanted_m[name])
        _assert_same(concatenate(parts)[name], wanted_e[name])


def _assert_same(found: EncodedUnit, wanted: EncodedUnit) -> None:
    torch.testing.assert_close(found.inner_BI, wanted.inner_BI, rtol=1e-5, atol=1e-5)
    assert set(found.columns) == set(wanted.columns)
    for name, value in wanted.columns.items():
        other = found.columns[name]
        if isinstance(value, Packed):
            assert isinstance(other, Packed)
            assert torch.equal(other.lengths_B, value.lengths_B)
            value, other = value.values_TC, other.values_TC
        torch.testing.assert_close(other, value, rtol=1e-5, atol=1e-5)
