"""Mined negatives are the most similar wrong entities, most similar first."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.linking.data import LinkingData
from mmoe.training import mining
from mmoe.training.mining import mine_negatives

from tests.oracles import cosine
from tests.stores import CPU, Toy, open_toy


def similarities(data: LinkingData, mention: int) -> list[Tensor]:
    """cos(text, text) + cos(word, name) with every entity."""
    m = data.mention_side.gather(torch.tensor([mention]), CPU)
    e = data.entity_side.gather(torch.arange(len(data.entities)), CPU)
    return [
        cosine(m.text_pooled_BP[0], text) + cosine(m.name_pooled_BP[0], name)
        for text, name in zip(e.text_pooled_BP, e.name_pooled_BP, strict=True)
    ]


@given(st.integers(0, 20))
@settings(deadline=None, max_examples=10)
def test_they_are_the_most_similar_wrong_ones(data: LinkingData, depth: int) -> None:
    mentions = data.linkable("train")
    mined = mine_negatives(data, mentions, depth)
    assert mined.shape == (len(mentions), min(depth, 13))
    for mention, row in zip(mentions.tolist(), mined.tolist(), strict=True):
        scores = similarities(data, mention)
        wrong = [i for i in range(14) if i != data.gold[mention]]
        best = sorted(wrong, key=lambda i: -scores[i].item())[:depth]
        assert data.gold[mention] not in row
        assert len(set(row)) == len(row)
        torch.testing.assert_close(
            torch.tensor([scores[i] for i in row]), torch.tensor([scores[i] for i in best])
        )


def test_a_twin_of_the_gold_is_mined_and_the_gold_is_not(tmp_path: Path) -> None:
    data = open_toy(tmp_path, Toy(twins=2, entities=8, blur=0.01))
    mentions = data.linkable("train")
    mined = mine_negatives(data, mentions, 1)
    for gold, (first,) in zip(data.gold_of(mentions).tolist(), mined.tolist(), strict=True):
        twin = {0: 6, 1: 7, 6: 0, 7: 1}.get(gold)
        assert first != gold
        assert twin is None or first == twin


def test_chunks_do_not_show(data: LinkingData, monkeypatch: pytest.MonkeyPatch) -> None:
    mentions = data.linkable("train")
    whole = mine_negatives(data, mentions, 5)
    monkeypatch.setattr(mining, "CHUNK", 7)
    assert torch.equal(mine_negatives(data, mentions, 5), whole)


def test_a_single_entity_leaves_nothing_to_mine(tmp_path: Path) -> None:
    data = open_toy(tmp_path, Toy(mentions=6, entities=1, nils=0))
    assert mine_negatives(data, data.linkable("train"), 24).shape == (4, 0)


def test_no_mention_has_no_negatives(data: LinkingData) -> None:
    assert mine_negatives(data, torch.empty(0, dtype=torch.int64), 3).shape == (0, 3)
