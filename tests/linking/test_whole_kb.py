"""What depends on the batch depends on the ids alone, not on the order of records or requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmoe.config.mmoe_released import MmoeReleasedParams
from mmoe.config.model import ModelParams
from mmoe.features.tokens import MemoryTokens
from mmoe.linking.data import LinkingData
from mmoe.linking.ranked import MentionRanks
from mmoe.linking.whole_kb import build_index, rank_records
from mmoe.model.matcher import OVERALL, Matcher, MatcherSpec
from mmoe.model.packed import Packed
from mmoe.model.registry import build_matcher

from tests.stores import Toy, in_memory, open_toy

CPU = torch.device("cpu")


@pytest.fixture
def data(tmp_path: Path) -> LinkingData:
    """Texts of one length each, as if they were padded, and no images."""
    opened = open_toy(tmp_path, Toy(images=False))
    sides = []
    for side in (opened.mention_side, opened.entity_side):
        table = side.texts
        tokens = in_memory(table.tokens)
        starts = torch.from_numpy(tokens.lengths_N.cumsum() - tokens.lengths_N)
        firsts = tokens.values_TC[starts].repeat_interleave(6, dim=0)
        metadata = {**table.metadata, "keep_padding": True}
        six = MemoryTokens(firsts, np.full(len(table), 6))
        padded = replace(table, tokens=six, metadata=metadata)
        sides.append(replace(side, texts=padded))
    return replace(opened, mention_side=sides[0], entity_side=sides[1])


def matcher_for(data: LinkingData, batch: int) -> Matcher:
    params = ModelParams.model_validate(
        {"name": "mmoe_released", "units": ["text"], "embed_dim": 5}
    )
    own = MmoeReleasedParams(evaluation_batch=batch)
    return build_matcher(MatcherSpec(data.widths, params, own), seed=0).eval()


def ranked(matcher: Matcher, data: LinkingData, records: torch.Tensor) -> MentionRanks:
    index = build_index(matcher, data.entity_side, CPU)
    gold = data.gold_of(records)
    return rank_records(index, data.mention_side, records, gold, CPU, top_n=3)


def test_neither_the_order_of_mentions_nor_that_of_entities_changes_a_score(
    data: LinkingData,
) -> None:
    matcher, test = matcher_for(data, batch=5), data.linkable("test")
    wanted = ranked(matcher, data, test)
    shuffle = torch.randperm(len(test), generator=torch.Generator().manual_seed(1))
    found = ranked(matcher, data, test[shuffle])
    assert found.ranks.pessimistic.tolist() == wanted.ranks.pessimistic[shuffle].tolist()
    np.testing.assert_array_equal(found.best.top_Bn, wanted.best.top_Bn[shuffle])

    back = torch.arange(len(data.entities)).flip(0)
    side = data.entity_side
    turned = replace(
        side,
        text_rows=side.text_rows[back],
        image_rows=side.image_rows,
        strings=side.strings.select(back),
    )
    gold = np.where(data.gold < 0, -1, len(back) - 1 - data.gold)
    other = ranked(matcher, replace(data, entity_side=turned, gold=gold), test)
    np.testing.assert_array_equal(other.gold_scores_B[OVERALL], wanted.gold_scores_B[OVERALL])


def test_the_size_of_the_batch_does(data: LinkingData) -> None:
    test = data.linkable("test")
    few, many = (
        ranked(matcher_for(data, size), data, test).gold_scores_B[OVERALL] for size in (2, 99)
    )
    assert not np.allclose(few, many, rtol=1e-3)


@pytest.mark.parametrize("batch", [None, 5])
def test_an_index_in_bfloat16_holds_float32_near_that_of_float32(
    data: LinkingData, batch: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    matcher = matcher_for(data, batch=5)
    monkeypatch.setattr(matcher, "encoding_batch", batch)
    wanted, found = (
        build_index(matcher, data.entity_side, CPU, precision).entities
        for precision in ("float32", "bfloat16")
    )
    for name, unit in found.items():
        assert unit.inner_BI.dtype == torch.float32
        difference = (unit.inner_BI - wanted[name].inner_BI).abs().max()
        assert 0 < difference < 0.05 * wanted[name].inner_BI.abs().max()
        for key in unit.columns:
            column = unit.columns[key]
            values = column.values_TC if isinstance(column, Packed) else column
            assert values.dtype == torch.float32
