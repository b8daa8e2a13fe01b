"""MIMIC equals its release where nothing is padded or missing, and is mended where something is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.config.mimic import MimicParams
from mmoe.config.model import ModelParams
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranking import rank_mentions
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.matcher import OVERALL, MatcherSpec
from mmoe.model.matchers.mimic import Mimic

from tests.model.matchers import WIDTHS, random_side, sides, take
from tests.model.releases import Release, released

CLIP = FeatureWidths(text=512, text_pooled=512, image=768, image_pooled=512, joint=True)
# Ours, and the name in a released checkpoint.
NAMES = {
    "text_stem.coarse_norm": "matcher.text_cls_layernorm",
    "text_stem.fine_norm": "matcher.text_tokens_layernorm",
    "image_stem.coarse": "encoder.image_cls_fc",
    "image_stem.fine": "encoder.image_tokens_fc",
    "image_stem.coarse_norm": "matcher.image_cls_layernorm",
    "image_stem.fine_norm": "matcher.image_tokens_layernorm",
    "units.text.query": "matcher.tglu.fc_query",
    "units.text.key": "matcher.tglu.fc_key",
    "units.text.value": "matcher.tglu.fc_value",
    "units.text.coarse": "matcher.tglu.fc_cls",
    "units.text.norm": "matcher.tglu.layer_norm",
    "units.vision.from_entity": "matcher.vdlu.dual_ent2men",
    "units.vision.from_mention": "matcher.vdlu.dual_men2ent",
    "units.cross.text_fc": "matcher.cmfu.text_fc",
    "units.cross.image_fc": "matcher.cmfu.image_fc",
    "units.cross.gate_fc": "matcher.cmfu.gate_fc",
    "units.cross.norm": "matcher.cmfu.gate_layer_norm",
}
OURS_ALONE = {"units.vision.missing.value", "units.cross.missing.value"}
UNUSED = 2 * 96  # a LayerNorm of the release that nothing goes through


def mimic(widths: FeatureWidths, **model: Any) -> Mimic:
    params = ModelParams.model_validate({"name": "mimic", "embed_dim": 5, **model})
    return Mimic(MatcherSpec(widths, params, MimicParams())).eval()


def random_mimic(seed: int = 0, **model: Any) -> Mimic:
    """Every weight is random, those that start at 0 or 1 included."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        matcher = mimic(WIDTHS, **model)
        for parameter in matcher.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return matcher


def load_released(matcher: Mimic, state: Mapping[str, Tensor]) -> None:
    ours = {}
    for name in matcher.state_dict():
        prefix = next((known for known in NAMES if name.startswith(f"{known}.")), None)
        if prefix is not None:
            ours[name] = state[NAMES[prefix] + name.removeprefix(prefix)]
    missing = matcher.load_state_dict(ours, strict=False).missing_keys
    assert set(missing) == OURS_ALONE


@pytest.fixture(scope="module")
def release() -> Release:
    return released("mimic")


def test_it_scores_as_the_release(release: Release) -> None:
    matcher = mimic(CLIP, embed_dim=96)
    load_released(matcher, release.state)
    with torch.no_grad():
        scores = matcher(release.side("mention"), release.side("entity"))
    for name, wanted in zip(("text", "vision", "cross"), release.figures["units"], strict=True):
        release.assert_equal(scores[name], wanted)
    release.assert_equal(scores[OVERALL], release.figures["overall"])


def test_it_has_as_many_parameters_as_the_release() -> None:
    """315,491 without the projections of CLIP's image outputs."""
    matcher = mimic(CLIP, embed_dim=96)
    projections = {"image_stem.coarse", "image_stem.fine"}
    count = sum(
        parameter.numel()
        for name, parameter in matcher.named_parameters()
        if name.rpartition(".")[0] not in projections and name not in OURS_ALONE
    )
    assert count + UNUSED == 315_491


def scores_of(matcher: Mimic, mentions: SideFeatures, entities: SideFeatures) -> dict[str, Tensor]:
    with torch.no_grad():
        scores: dict[str, Tensor] = matcher(mentions, entities)
    return scores


@given(sides(4), sides(5), st.integers(0, 2**20))
@settings(deadline=None, max_examples=20)
def test_a_pair_alone_scores_as_in_a_batch(
    mentions: SideFeatures, entities: SideFeatures, seed: int
) -> None:
    """Neither padding nor what else is in the batch counts."""
    matcher = random_mimic(seed)
    together = scores_of(matcher, mentions, entities)
    for i in range(len(mentions)):
        for j in range(len(entities)):
            alone = scores_of(matcher, take(mentions, [i]), take(entities, [j]))
            for name, table in together.items():
                torch.testing.assert_close(alone[name][0, 0], table[i, j], rtol=1e-4, atol=1e-4)


@given(sides(4), sides(5), st.integers(0, 2**20))
@settings(deadline=None, max_examples=20)
def test_pairs_that_lack_an_image_get_one_constant(
    mentions: SideFeatures, entities: SideFeatures, seed: int
) -> None:
    scores = scores_of(random_mimic(seed), mentions, entities)
    assert mentions.has_image_B is not None
    assert entities.has_image_B is not None
    lacks = ~(mentions.has_image_B[:, None] & entities.has_image_B)
    for name in ("vision", "cross"):
        values = scores[name][lacks]
        assert (values == values[:1]).all()


@given(sides(3), sides(6), st.integers(0, 2**20), st.data())
@settings(deadline=None, max_examples=20)
def test_single_pairs_score_as_all_pairs(
    mentions: SideFeatures, entities: SideFeatures, seed: int, data: st.DataObject
) -> None:
    matcher = random_mimic(seed)
    table = scores_of(matcher, mentions, entities)
    column = st.integers(0, len(entities) - 1)
    own = data.draw(st.lists(column, min_size=2 * len(mentions), max_size=2 * len(mentions)))
    with torch.no_grad():
        found = matcher.scores_with_own_negatives(
            matcher.encode_mentions(mentions), matcher.encode_entities(take(entities, own))
        )
    for name, scores in table.items():
        wanted = scores.gather(1, torch.tensor(own).view(len(mentions), 2))
        torch.testing.assert_close(found[name], wanted, rtol=1e-4, atol=1e-4)


@given(sides(4), sides(12), st.integers(0, 2**20), st.data())
@settings(deadline=None, max_examples=25)
def test_bounds_hold_and_rank_as_brute_force(
    mentions: SideFeatures, entities: SideFeatures, seed: int, data: st.DataObject
) -> None:
    matcher = random_mimic(seed)
    row = st.integers(0, len(entities) - 1)
    gold = torch.tensor(data.draw(st.lists(row, min_size=len(mentions), max_size=len(mentions))))
    index = EntityIndex.build(matcher, [entities])
    with torch.no_grad():
        low, high = index.bounds(matcher.encode_mentions(mentions))
        scores = matcher(mentions, entities)[OVERALL]
    slack = 1e-5 * torch.maximum(low.abs(), high.abs()).amax(dim=1, keepdim=True)
    assert (low - slack <= scores).all()
    assert (scores <= high + slack).all()
    bounds, brute = (
        rank_mentions(index, [mentions], gold, engine=engine, top_n=3)
        for engine in ("bounds", "brute")
    )
    assert bounds.ranks.pessimistic.tolist() == brute.ranks.pessimistic.tolist()
    assert bounds.ranks.optimistic.tolist() == brute.ranks.optimistic.tolist()


def test_bounds_settle_most_pairs() -> None:
    matcher = random_mimic(units=["text"])
    mentions, entities = random_side([4] * 5, [0] * 5, seed=1), random_side([3] * 200, [0] * 200)
    index, gold = EntityIndex.build(matcher, [entities]), torch.tensor([3, 50, 100, 150, 199])
    bounds, brute = (
        rank_mentions(index, [mentions], gold, engine=engine) for engine in ("bounds", "brute")
    )
    assert bounds.num_scored < brute.num_scored / 2
