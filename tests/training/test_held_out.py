"""Which train mentions are learned from, and by which training stops."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmoe.errors import TrainingError
from mmoe.linking.data import LinkingData
from mmoe.model.matcher import OVERALL, Matcher
from mmoe.training import held_out
from mmoe.training.held_out import held_out_mrr, ranked_entities, split_mentions

from tests.stores import CPU, Toy, mrr_on, open_toy
from tests.training.runs import new_matcher, new_trainer, train_params

FRACTIONS = (0.1, 0.2, 0.7, 1.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LinkingData:
    """Forty train mentions."""
    return open_toy(tmp_path_factory.mktemp("store"), Toy(mentions=60, nils=0))


def sets(data: LinkingData, **changes: float) -> tuple[set[int], set[int]]:
    learned, held_out = split_mentions(data, train_params(**changes))
    return set(learned.tolist()), set(held_out.tolist())


@pytest.mark.parametrize(
    ("fraction", "share", "learned", "held_out"),
    [(1.0, 0.1, 36, 4), (0.5, 0.1, 18, 2), (1.0, 0.5, 20, 20), (0.25, 0.3, 7, 3)],
)
def test_train_is_parted(
    data: LinkingData, fraction: float, share: float, learned: int, held_out: int
) -> None:
    ours, theirs = sets(data, fraction=fraction, held_out=share)
    assert (len(ours), len(theirs)) == (learned, held_out)
    assert not ours & theirs
    assert ours | theirs <= set(data.linkable("train").tolist())


@pytest.mark.parametrize(("fraction", "share"), [(1.0, 0.0), (0.001, 0.5), (1.0, 0.02)])
def test_validation_mentions_take_the_place_of_an_empty_part(
    data: LinkingData, fraction: float, share: float
) -> None:
    ours, theirs = sets(data, fraction=fraction, held_out=share)
    assert len(ours) == max(1, 40 * fraction)
    assert theirs == set(data.linkable("valid").tolist())


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_the_seed_decides(data: LinkingData, share: float) -> None:
    first, again, other = (
        sets(data, fraction=0.5, held_out=share, seed=seed) for seed in (43, 43, 44)
    )
    assert first == again != other


def test_no_more_are_held_out_than_it_takes(
    data: LinkingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_out, "MOST_HELD_OUT", 3)
    assert [len(each) for each in sets(data, held_out=0.2)] == [37, 3]
    assert [len(each) for each in sets(data, held_out=0.05)] == [38, 2]


def test_smaller_fractions_are_parts_of_larger_ones(data: LinkingData) -> None:
    for kept in zip(*(sets(data, fraction=each, held_out=0.3) for each in FRACTIONS), strict=True):
        assert all(less < more for less, more in itertools.pairwise(kept))


def test_the_held_out_mentions_are_ranked_and_never_learned_from(
    data: LinkingData, tmp_path: Path
) -> None:
    ranked, learned = list[Tensor](), set[int]()
    mrr_of = mrr_on(data)

    def noted(matcher: Matcher, mentions: Tensor) -> float:
        ranked.append(mentions)
        return mrr_of(matcher, mentions)

    trainer = new_trainer(data, tmp_path, noted, held_out=0.2, max_epochs=2)
    for epoch in (1, 2):
        learned.update(*(batch.mentions.tolist() for batch in trainer.batches.of_epoch(epoch)))
    trainer.run()
    expected = split_mentions(data, train_params(held_out=0.2))
    assert len(ranked) == 3
    assert all(torch.equal(each, expected[1]) for each in ranked)
    assert learned == set(expected[0].tolist())


@pytest.mark.parametrize("most", [1, 12, 10_000])
def test_of_a_large_knowledge_base_a_part_is_ranked(
    data: LinkingData, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(held_out, "MOST_ENTITIES", most)
    _, mentions = split_mentions(data, train_params(held_out=0.2))
    gold, matcher = data.gold_of(mentions), new_matcher(data).eval()
    rows = ranked_entities(data, mentions, seed=43)
    assert set(gold.tolist()) <= set(rows.tolist())
    assert len(rows) == min(len(data.entities), max(most, len(set(gold.tolist()))))
    assert rows.tolist() == sorted(set(rows.tolist()))
    scores = matcher(data.mention_side.gather(mentions, CPU), data.entity_side.gather(rows, CPU))
    own = scores[OVERALL].gather(1, torch.searchsorted(rows, gold)[:, None])
    ranks = (scores[OVERALL] >= own).sum(dim=1)
    found = held_out_mrr(matcher, mentions, data=data, seed=43)
    assert found == pytest.approx(float((100 / ranks).mean()), abs=1e-4)


def test_no_training_mention_is_an_error(tmp_path: Path) -> None:
    data = open_toy(tmp_path / "store", Toy(mentions=12, nils=12))
    with pytest.raises(TrainingError, match="no training mention has its gold entity"):
        new_trainer(data, tmp_path / "work")
