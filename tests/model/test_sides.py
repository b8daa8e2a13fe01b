"""Fine scores lie within their bounds, and a mention's own entities score as in the table of all pairs."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.model.features import SideFeatures
from mmoe.model.sides import (
    EncodedEntities,
    EncodedMentions,
    fine_bounds,
    fine_scores,
    inner_scores,
    scores_with_own_negatives,
)

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
    for name in matcher.unit_names:
        fine = fine_scores(m_sides[name], e_sides[name])
        low, high = fine_bounds(m_sides[name], e_sides[name])
        slack = 1e-5 * (1 + fine.abs())
        assert (low <= fine + slack).all()
        assert (fine <= high + slack).all()


def test_bounds_of_a_single_token_are_tight() -> None:
    matcher = random_matcher()
    with torch.no_grad():
        mention = matcher.encode_mentions(random_side([1], [1], seed=1))
        entity = matcher.encode_entities(random_side([3, 2], [2, 0], seed=2))
    for name in ("text", "vision"):
        fine = fine_scores(mention[name], entity[name])
        for bound in fine_bounds(mention[name], entity[name]):
            torch.testing.assert_close(bound, fine)


def test_bounds_are_reached_by_attention_that_falls_on_one_token() -> None:
    keys = torch.tensor([[100.0, 0.0], [0.0, 100.0]])
    values = torch.tensor([[1.0, 0.0], [5.0, 0.0]])
    like = random_side([2], seed=0).text.with_values(keys)
    mention = EncodedMentions(torch.zeros(1, 1), like, values)
    queries = random_side([1, 1], seed=0).text.with_values(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    entities = EncodedEntities(torch.zeros(2, 1), queries, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    low, high = fine_bounds(mention, entities)
    assert (low.tolist(), high.tolist()) == ([[1.0, 1.0]], [[5.0, 5.0]])
    assert fine_scores(mention, entities).tolist() == [[1.0, 5.0]]


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
    for name in matcher.unit_names:
        m, e = m_sides[name], e_sides[name]
        table = inner_scores(m, e) + fine_scores(m, e)
        found = scores_with_own_negatives(m, e.select(own))
        wanted = table.gather(1, own.view(len(mentions), each))
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=3e-5)


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
    for name in matcher.unit_names:
        _assert_same(mentions[name].select(at), wanted_m[name])
        parts = [entities[name].select(at[: cut + 1]), entities[name].select(at[cut + 1 :])]
        _assert_same(EncodedEntities.concatenate(parts), wanted_e[name])


def _assert_same(
    found: EncodedMentions | EncodedEntities, wanted: EncodedMentions | EncodedEntities
) -> None:
    for name, value in vars(wanted).items():
        other = getattr(found, name)
        if value is None or isinstance(value, torch.Tensor):
            assert (value is None) == (other is None)
            if value is not None:
                torch.testing.assert_close(other, value, rtol=1e-5, atol=1e-5)
        else:
            assert torch.equal(other.lengths_B, value.lengths_B)
            torch.testing.assert_close(other.values_TC, value.values_TC, rtol=1e-5, atol=1e-5)
