"""Ranks from bounds equal brute force and sorting, ties included, with the attention of few pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.errors import TrainingError
from mmoe.linking import ranking
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranked import MentionRanks
from mmoe.linking.ranking import best_entities, rank_mentions
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import Matcher
from mmoe.model.packed import Packed

from tests.model.matchers import TEXT_ONLY, random_matcher, random_side, take
from tests.model.toy import toy_matcher
from tests.oracles import best_by_sorting, rank_by_sorting

ENGINES = ("bounds", "brute")


def batches(features: SideFeatures, size: int) -> list[SideFeatures]:
    rows = list(range(len(features)))
    return [take(features, rows[i : i + size]) for i in range(0, len(rows), size)]


def rank(
    matcher: Matcher,
    mentions: SideFeatures,
    entities: SideFeatures,
    gold: Sequence[int],
    *,
    size: int = 3,
    **options: Any,
) -> MentionRanks:
    return rank_mentions(
        EntityIndex.build(matcher, batches(entities, size)),
        batches(mentions, size),
        torch.tensor(gold, dtype=torch.int64),
        **options,
    )


@st.composite
def knowledge_bases(draw: st.DrawFn) -> SideFeatures:
    """1 to 12 entities, some of which repeat others to the bit."""
    originals = draw(st.integers(1, 7))
    lengths = draw(st.lists(st.integers(1, 4), min_size=originals, max_size=originals))
    patches = draw(st.lists(st.integers(0, 2), min_size=originals, max_size=originals))
    distinct = random_side(lengths, patches, seed=draw(st.integers(0, 2**20)))
    position = st.integers(0, originals - 1)
    return take(distinct, draw(st.lists(position, min_size=1, max_size=12)))


def margins(matcher: Matcher, mentions: SideFeatures, entities: SideFeatures) -> list[float]:
    """What counts as a tie for each mention: 1e-5 of its largest |bound| over the whole index."""
    with torch.no_grad():
        bounds = matcher.quick_bounds(
            matcher.encode_mentions(mentions), matcher.encode_entities(entities)
        )
    return [
        1e-5 * max(float(bound[i].abs().max()) for bound in bounds) for i in range(len(mentions))
    ]


@given(
    knowledge_bases(),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=4),
    st.data(),
    st.sampled_from([["text"], ["vision"], ["cross"], ["text", "vision", "cross"]]),
    st.booleans(),
    st.integers(1, 15),
    st.integers(1, 5),
)
@settings(deadline=None, max_examples=50)
def test_bounds_equal_brute_force_and_sorting(
    entities: SideFeatures,
    shape: list[tuple[int, int]],
    data: st.DataObject,
    units: list[str],
    residual: bool,
    top_n: int,
    size: int,
) -> None:
    matcher = random_matcher(units=units, residual=residual, seed=data.draw(st.integers(0, 2**20)))
    tokens, patches = zip(*shape, strict=True)
    mentions = random_side(tokens, patches, seed=data.draw(st.integers(0, 2**20)))
    position = st.integers(0, len(entities) - 1)
    gold = data.draw(st.lists(position, min_size=len(mentions), max_size=len(mentions)))
    with torch.no_grad():
        scores = matcher(mentions, entities)
    tied = margins(matcher, mentions, entities)
    chosen = st.lists(position, unique=True)
    candidates = [np.array(data.draw(chosen), dtype=np.int64) for _ in range(len(mentions))]
    asked: dict[str, Any] = {"size": size, "top_n": top_n, "candidates": candidates}
    found = {
        engine: rank(matcher, mentions, entities, gold, engine=engine, **asked)
        for engine in ENGINES
    }
    for engine, ranked in found.items():
        assert ranked.best.top_Bn.shape == (len(mentions), min(top_n, len(entities)))
        for i, row in enumerate(scores["overall"].tolist()):
            pair = (int(ranked.ranks.pessimistic[i]), int(ranked.ranks.optimistic[i]))
            assert pair == rank_by_sorting(row, gold[i], tied[i]), engine
            assert ranked.among is not None
            own = candidates[i].tolist()
            pair = (int(ranked.among.pessimistic[i]), int(ranked.among.optimistic[i]))
            wanted = (len(entities), 1 + len(own))
            if gold[i] in own:
                wanted = rank_by_sorting([row[j] for j in own], own.index(gold[i]), tied[i])
            assert pair == wanted, engine
            assert ranked.best.top_Bn[i].tolist() == best_by_sorting(row, tied[i])[:top_n], engine
            for name, table in scores.items():
                top = torch.from_numpy(ranked.best.scores_Bn[name][i])
                best = table[i, ranked.best.top_Bn[i]]
                torch.testing.assert_close(top, best, rtol=1e-4, atol=1e-4)
                score = float(ranked.gold_scores_B[name][i])
                assert score == pytest.approx(float(table[i, gold[i]]), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [1, 2, 6])
def test_scores_that_cross_zero_tie_as_any_others(engine: str, size: int) -> None:
    """The gold's score cancels to nothing; copies of it to the bit are still its equals, in order."""
    matcher = random_matcher(units=["text", "vision"])
    mentions = random_side([4, 3], [0, 0], seed=2)
    entities = take(random_side([3, 2, 4], [0, 0, 0], seed=1), [0, 0, 1, 2, 0, 0])
    vision: Any = matcher.unit("vision")
    with torch.no_grad():
        score = matcher(mentions, entities)["overall"][0, 0]
        # No one has an image, so this adds the same to every score.
        vision.image_residual.missing -= score / vision.image_residual.log_scale.exp()
        assert matcher(mentions, entities)["overall"][0, 0].abs() < 1e-4
    found = rank(matcher, mentions, entities, [4, 1], engine=engine, size=size, top_n=6)
    assert (found.ranks.pessimistic == found.ranks.optimistic + 3).all()
    for better, top in zip(found.ranks.optimistic, found.best.top_Bn.tolist(), strict=True):
        assert top[better - 1 : better + 3] == [0, 1, 4, 5]


def test_integer_scores_tie_exactly() -> None:
    """Small whole numbers leave no rounding: every engine and batch counts the same as sorting."""
    rng = np.random.default_rng(0)
    mentions, entities = rng.integers(-2, 3, (5, 6)), rng.integers(-2, 3, (40, 6))
    gold = rng.integers(0, 40, 5).tolist()
    matcher = toy_matcher()
    table = (mentions @ entities.T).astype(float)
    for engine in ENGINES:
        for size in (1, 3, 64):
            found = rank(
                matcher, whole(mentions), whole(entities), gold, engine=engine, size=size, top_n=9
            )
            for i, row in enumerate(table.tolist()):
                pair = (int(found.ranks.pessimistic[i]), int(found.ranks.optimistic[i]))
                assert pair == rank_by_sorting(row, gold[i], 1e-3)
                assert found.best.top_Bn[i].tolist() == best_by_sorting(row, 1e-3)[:9]


def whole(vectors: NDArray[np.int64]) -> SideFeatures:
    """Features of which only the pooled text, of whole numbers, counts."""
    pooled = torch.from_numpy(vectors).float()
    tokens = Packed(torch.zeros(len(pooled), 6), torch.ones(len(pooled), dtype=torch.int64))
    return SideFeatures(tokens, pooled, pooled)


def test_the_best_need_no_gold() -> None:
    matcher = random_matcher()
    mentions, entities = random_side([3, 1], [2, 0], seed=1), random_side([2] * 9, [1] * 9, seed=2)
    index = EntityIndex.build(matcher, batches(entities, 4))
    alone = best_entities(index, batches(mentions, 1), 3)
    found = rank(matcher, mentions, entities, [0, 5], top_n=3)
    assert alone.top_Bn.tolist() == found.best.top_Bn.tolist()
    assert list(alone.scores_Bn) == ["text", "vision", "cross", "overall"]
    assert best_entities(index, [], 3).top_Bn.shape == (0, 3)


def test_both_engines_name_the_same_entities_in_the_same_order() -> None:
    matcher = random_matcher()
    mentions = random_side([3, 1, 4], [2, 0, 1], seed=1)
    entities = random_side([2] * 40, [1, 0] * 20, seed=2)
    found = [rank(matcher, mentions, entities, [0, 7, 39], engine=e, top_n=40) for e in ENGINES]
    assert found[0].best.top_Bn.tolist() == found[1].best.top_Bn.tolist()
    assert found[0].ranks.pessimistic.tolist() == found[1].ranks.pessimistic.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_exact_ties_count_against_and_for_the_gold(engine: str) -> None:
    matcher = random_matcher()
    one = random_side([3], [2], seed=3)
    found = rank(matcher, random_side([2], [1]), take(one, [0] * 5), [2], engine=engine, top_n=3)
    assert found.ranks.pessimistic.tolist() == [5]
    assert found.ranks.optimistic.tolist() == [1]
    assert len(set(found.best.top_Bn[0].tolist())) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_single_entity_is_first(engine: str) -> None:
    found = rank(
        random_matcher(),
        random_side([2, 1], [1, 0]),
        random_side([4], [0]),
        [0, 0],
        engine=engine,
        top_n=10,
    )
    assert found.ranks.pessimistic.tolist() == found.ranks.optimistic.tolist() == [1, 1]
    assert found.best.top_Bn.tolist() == [[0], [0]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_text_only_knowledge_base(engine: str) -> None:
    matcher = random_matcher(TEXT_ONLY, units=["text"])
    mentions = random_side([2, 5], widths=TEXT_ONLY, seed=1)
    entities = random_side([1, 3, 2, 4], widths=TEXT_ONLY, seed=2)
    found = rank(matcher, mentions, entities, [3, 0], engine=engine, top_n=2)
    with torch.no_grad():
        overall = matcher(mentions, entities)["overall"]
    for i, gold in enumerate([3, 0]):
        assert found.ranks.pessimistic[i] == rank_by_sorting(overall[i].tolist(), gold, 1e-4)[0]
    assert list(found.best.scores_Bn) == ["text", "overall"]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_mention_has_no_rank(engine: str) -> None:
    found = rank_mentions(
        EntityIndex.build(random_matcher(), [random_side([2, 1], [1, 0])]),
        [],
        torch.empty(0, dtype=torch.int64),
        engine=engine,
        top_n=2,
    )
    assert len(found.ranks) == 0
    assert found.best.top_Bn.shape == (0, 2)
    assert found.num_scored == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_no_best_entities_unless_asked_for(engine: str) -> None:
    found = rank(
        random_matcher(), random_side([2], [1]), random_side([4] * 3, [1] * 3), [1], engine=engine
    )
    assert found.best.top_Bn.shape == (1, 0)


def test_batch_sizes_do_not_show() -> None:
    matcher = random_matcher()
    mentions = random_side([3, 1, 4, 2, 2], [2, 0, 1, 0, 3], seed=1)
    entities = random_side([2, 3] * 10, [1, 0, 2, 1] * 5, seed=2)
    gold = [0, 19, 7, 7, 12]
    found = [rank(matcher, mentions, entities, gold, size=size, top_n=4) for size in (1, 2, 7, 99)]
    for other in found[1:]:
        assert other.ranks.pessimistic.tolist() == found[0].ranks.pessimistic.tolist()
        assert other.best.top_Bn.tolist() == found[0].best.top_Bn.tolist()


def test_brute_force_by_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher, mentions = random_matcher(), random_side([3, 1], [2, 0], seed=1)
    entities = random_side([2] * 10, [1] * 10, seed=2)
    whole = rank(matcher, mentions, entities, [4, 9], engine="brute", top_n=3)
    monkeypatch.setattr(ranking, "BRUTE_ENTITIES", 3)
    chunks = rank(matcher, mentions, entities, [4, 9], engine="brute", top_n=3)
    assert chunks.ranks.pessimistic.tolist() == whole.ranks.pessimistic.tolist()
    assert chunks.best.top_Bn.tolist() == whole.best.top_Bn.tolist()


def test_bounds_leave_few_pairs_open() -> None:
    """Where the residual tells entities apart, most are settled without the attention term."""
    matcher = random_matcher(units=["text"], seed=1)
    mentions, entities = random_side([4] * 5, [0] * 5, seed=1), random_side([3] * 200, [0] * 200)
    gold = [3, 50, 100, 150, 199]
    bounds, brute = (rank(matcher, mentions, entities, gold, engine=e) for e in ENGINES)
    assert bounds.ranks.pessimistic.tolist() == brute.ranks.pessimistic.tolist()
    assert brute.num_scored == 5 * 199
    assert bounds.num_scored < brute.num_scored / 3
    top, all_top = (rank(matcher, mentions, entities, gold, engine=e, top_n=5) for e in ENGINES)
    assert top.best.top_Bn.tolist() == all_top.best.top_Bn.tolist()
    assert top.num_scored < brute.num_scored


@pytest.mark.parametrize("top_n", [1, 3])
def test_the_best_are_found_below_the_highest_bounds(top_n: int) -> None:
    """Values that attention hardly looks at raise bounds far above the scores."""
    matcher = random_matcher(units=["text"], residual=False)
    with torch.no_grad():
        matcher.get_parameter("units.text.value.weight").mul_(20)
    mentions, entities = random_side([6] * 8, [0] * 8, seed=1), random_side([3] * 60, [0] * 60)
    gold = list(range(8))
    found = [rank(matcher, mentions, entities, gold, engine=e, top_n=top_n) for e in ENGINES]
    assert found[0].best.top_Bn.tolist() == found[1].best.top_Bn.tolist()
    with torch.inference_mode():
        _, high = EntityIndex.build(matcher, [entities]).bounds(matcher.encode_mentions(mentions))
    highest = high.topk(2 * top_n).indices.tolist()
    missed = [
        set(best) - set(first) for best, first in zip(found[1].best.top_Bn, highest, strict=True)
    ]
    assert any(missed)  # or the bounds' order alone would do


def test_the_bounds_of_the_index_hold() -> None:
    matcher = random_matcher()
    mentions = random_side([3, 1, 4], [2, 0, 1], seed=1)
    entities = random_side([2, 3, 1, 4], [1, 0, 2, 1], seed=2)
    index = EntityIndex.build(matcher, batches(entities, 3))
    with torch.no_grad():
        sides, exact = matcher.encode_mentions(mentions), matcher(mentions, entities)["overall"]
    low, high = index.bounds(sides)
    assert (low <= exact + 1e-4).all()
    assert (exact <= high + 1e-4).all()
    found = index.scores(sides, torch.arange(4))["overall"]
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("part", ["text_stem.fine_norm.weight", "units.text.query.weight"])
def test_a_matcher_of_nan_ranks_nothing(engine: str, part: str) -> None:
    matcher = random_matcher()
    with torch.no_grad():
        matcher.get_parameter(part).fill_(float("nan"))
    entities = random_side([2] * 6, [1] * 6, seed=2)
    with pytest.raises(TrainingError, match="scores are NaN or infinite"):
        rank(matcher, random_side([2], [1]), entities, [1], engine=engine)
