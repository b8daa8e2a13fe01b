"""An epoch has every mention once, those that are easily confused together; a group shares its entities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.linking.data import LinkingData
from mmoe.training.batches import Batch, Batches, confusable_parts, load_batch, loss_batch

from tests.stores import CPU
from tests.training.runs import new_matcher, train_params


def batches(data: LinkingData, **changes: Any) -> Batches:
    return Batches(data, data.linkable("train"), train_params(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 1},
        {"batch_size": 1000},
        {"confusable": 1},
        {"confusable": 1000},
        {"mined_negatives": 0, "mining_depth": 0},
        {"mined_negatives": 50, "mining_depth": 100},
    ],
)
def test_an_epoch_has_every_training_mention_once(
    data: LinkingData, changes: dict[str, Any]
) -> None:
    epoch = batches(data, **changes).of_epoch(1)
    seen = torch.cat([batch.mentions for batch in epoch]).tolist()
    assert sorted(seen) == data.linkable("train").tolist()
    for batch in epoch:
        assert len(batch.negatives) == len(batch.mentions)
        assert not (batch.negatives == data.gold_of(batch.mentions)[:, None]).any()
        assert all(len(set(own)) == len(own) for own in batch.negatives.tolist())


def test_every_epoch_shuffles_and_draws_anew_and_always_the_same(data: LinkingData) -> None:
    first, again = (batches(data, batch_size=1000) for _ in range(2))
    epochs = [[each.tolist() for each in first.of_epoch(number)[0]] for number in (1, 2, 3)]
    assert len({str(mentions) for mentions, _ in epochs}) == 3
    assert len({str(sorted(map(sorted, drawn))) for _, drawn in epochs}) == 3
    assert [each.tolist() for each in again.of_epoch(2)[0]] == epochs[1]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
    st.integers(0, 4),
    st.integers(1, 8),
    st.integers(0, 99),
)
@settings(deadline=None)
def test_a_part_is_a_mention_and_others_whose_golds_are_its_negatives(
    gold: list[int], depth: int, size: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # No entity is a negative of its own mention.
    mined = np.array([rng.permutation([e for e in range(10) if e != g])[:depth] for g in gold])
    parts = confusable_parts(np.array(gold), mined, size, rng)
    assert sorted(mention for part in parts for mention in part) == list(range(len(gold)))
    for first, *others in parts:
        assert len(others) < size
        golds = [gold[mention] for mention in others]
        assert len(set(golds)) == len(golds)
        assert set(golds) <= set(mined[first].tolist())


def test_confusable_mentions_stand_together_where_there_are_any() -> None:
    gold = np.arange(200)
    mined = (gold ^ 1)[:, None]  # 2k and 2k + 1 are each other's hard negatives
    parts = confusable_parts(gold, mined, 2, np.random.default_rng(0))
    assert len(parts) == 100
    assert all(first ^ 1 == second for first, second in parts)


@pytest.mark.parametrize("group_size", [1, 2, 3, 50])
def test_a_group_is_compared_with_its_golds_and_negatives_alone(
    data: LinkingData, tmp_path: Path, group_size: int
) -> None:
    matcher = new_matcher(data, dropout=0.0)
    mentions = data.linkable("train")[:5]
    negatives = torch.tensor([[5, 3], [3, 7], [0, 1], [2, 0], [9, 8]])
    loaded = load_batch(data, Batch(mentions, negatives))
    found = loss_batch(matcher, data, loaded, group_size, "float32")
    gold = data.gold_of(mentions)
    with torch.no_grad():
        wanted = matcher(
            data.mention_side.gather(mentions, CPU),
            data.entity_side.gather(torch.arange(len(data.entities)), CPU),
        )
    for start in range(0, 5, group_size):
        rows = range(start, min(5, start + group_size))
        columns = sorted({*gold[rows].tolist(), *negatives[rows].flatten().tolist()})
        for row in rows:
            assert columns[found.gold_B[row]] == gold[row]
            assert found.allowed_BN[row].sum() == len(columns)
            for name, scores in found.scores.items():
                torch.testing.assert_close(
                    scores[row][found.allowed_BN[row]],
                    wanted[name][row, columns],
                    rtol=1e-4,
                    atol=1e-5,
                )
