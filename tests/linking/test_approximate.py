"""Approximate search: shortlists that hold the best, exact among them, grown without being made anew."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmoe.errors import LinkingError
from mmoe.linking import approximate
from mmoe.linking.approximate import ApproximateSearch, Reduction
from mmoe.linking.data import LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranking import best_entities
from mmoe.linking.whole_kb import build_index
from mmoe.model.encoded import part
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import OVERALL

from tests.stores import CPU, Toy, open_toy
from tests.training.runs import new_matcher

pytest.importorskip("faiss", reason="the extra `approximate` is not installed")
SORTED = 20  # entities from which on lists are made here
EVERYTHING = 10_000


@pytest.fixture
def data(tmp_path: Path) -> LinkingData:
    return open_toy(tmp_path / "store", Toy(twins=2))


@pytest.fixture
def index(data: LinkingData) -> EntityIndex:
    return build_index(new_matcher(data, dropout=0.0).eval(), data.entity_side, CPU)


@pytest.fixture
def mentions(data: LinkingData) -> list[SideFeatures]:
    return list(data.mention_side.batches(data.mention_side.everything, 7, CPU))


@pytest.mark.parametrize("least_sorted", [SORTED, EVERYTHING])
@pytest.mark.parametrize("top_n", [1, 3, EVERYTHING])
def test_a_shortlist_of_all_gives_the_exact_best(
    index: EntityIndex,
    mentions: list[SideFeatures],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    least_sorted: int,
    top_n: int,
) -> None:
    monkeypatch.setattr(approximate, "LEAST_SORTED", least_sorted)
    search = ApproximateSearch.build_in(tmp_path / "search", "a", index, mentions)
    exact = best_entities(index, mentions, top_n)
    # One list holds less than all, so all are looked through.
    probed = 1e-6 if top_n == EVERYTHING else 1.0
    found = search.best(mentions, top_n, shortlist=len(index), probed=probed)
    assert np.array_equal(found.top_Bn, exact.top_Bn)  # twins in the order of the knowledge base
    for name in (*index.matcher.unit_names, OVERALL):
        assert np.allclose(found.scores_Bn[name], exact.scores_Bn[name], atol=1e-5)


def test_a_short_list_holds_most_of_the_best(
    index: EntityIndex, mentions: list[SideFeatures], tmp_path: Path
) -> None:
    search = ApproximateSearch.build_in(tmp_path / "search", "a", index, mentions, width=8)
    found, exact = search.best(mentions, 1, shortlist=4), best_entities(index, mentions, 1)
    assert (found.top_Bn == exact.top_Bn).mean() > 0.9


def test_what_is_added_is_found_without_new_lists(
    index: EntityIndex,
    mentions: list[SideFeatures],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(approximate, "LEAST_SORTED", SORTED)
    fewer = EntityIndex(index.matcher, part(index.entities, 0, len(index) - 4))
    before = ApproximateSearch.build_in(tmp_path / "search", "fewer", fewer, mentions)
    after = before.extended_in(tmp_path / "search", "all", index)
    exact = best_entities(index, mentions, 3)
    assert (exact.top_Bn >= len(fewer)).any()
    for search in (after, ApproximateSearch.open(tmp_path / "search", "all", index)):
        assert search.lists.ntotal == len(index)
        found = search.best(mentions, 3, shortlist=len(index), probed=1.0)
        assert np.array_equal(found.top_Bn, exact.top_Bn)


def test_the_search_of_another_index_is_refused(
    index: EntityIndex, mentions: list[SideFeatures], tmp_path: Path
) -> None:
    ApproximateSearch.build_in(tmp_path / "search", "a", index, mentions)
    for folder in (tmp_path / "search", tmp_path / "gone"):
        with pytest.raises(LinkingError, match=f"{folder}: holds no approximate search of this"):
            ApproximateSearch.open(folder, "b", index)


def test_without_faiss_it_says_what_to_install(
    index: EntityIndex,
    mentions: list[SideFeatures],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(LinkingError, match="pip install faiss-cpu, or search exactly"):
        ApproximateSearch.build_in(tmp_path / "search", "a", index, mentions)


def test_a_reduction_keeps_the_products_that_mentions_look_at() -> None:
    rng = np.random.default_rng(0)
    mentions = rng.normal(0, np.geomspace(1, 1e-3, 24), (500, 24)).astype(np.float32)
    # What varies most between entities, mentions look at least.
    entities = rng.normal(1, np.geomspace(0.1, 1, 24), (800, 24)).astype(np.float32)
    exact = mentions @ entities.T
    exact -= exact.mean(axis=1, keepdims=True)

    def error(reduction: Reduction) -> float:
        products = reduction.mentions(mentions) @ reduction.entities(entities).T
        return float(np.abs(products - products.mean(axis=1, keepdims=True) - exact).max())

    whole, half = (Reduction.fit(mentions, entities, width) for width in (24, 12))
    centred = entities - entities.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:12].T
    principal = Reduction(axes, axes, entities.mean(axis=0))
    assert error(whole) < 1e-5
    assert error(half) < 0.2 * error(principal)


def test_search_vectors_come_close_to_the_scores(
    index: EntityIndex, mentions: list[SideFeatures]
) -> None:
    matcher = index.matcher
    with torch.inference_mode():
        encoded = matcher.encode_mentions(mentions[0])
        low, high = index.bounds(encoded)
        products = matcher.search_vectors(encoded) @ matcher.search_vectors(index.entities).T
    assert torch.allclose(products, (low + high) / 2, atol=1e-5)
