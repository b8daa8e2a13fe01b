"""What a step minimises, when training stops, what it keeps, and what it says when the loss is NaN."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mmoe.errors import TrainingError
from mmoe.linking.data import LinkingData
from mmoe.linking.sides import FeatureSide
from mmoe.model.matcher import Matcher
from mmoe.model.matchers.mmoe import MMoE
from mmoe.tensor_files import read_tensors
from mmoe.training.batches import Batch
from mmoe.training.state import LAST
from mmoe.training.trainer import Trainer

from tests.oracles import batch_losses
from tests.stores import CPU, Toy, in_memory, mrr_on, open_toy
from tests.training.runs import TERMS, Heard, new_matcher, new_trainer, outcome


def losses_by_formula(trainer: Trainer, batch: Batch) -> dict[str, Tensor]:
    """The losses of a step on a single group before it is taken."""
    assert isinstance(trainer.matcher, MMoE)
    data, (mentions, negatives) = trainer.data, batch
    everything = torch.arange(len(data.entities))
    return batch_losses(
        trainer.matcher,
        data.mention_side.gather(mentions, CPU),
        data.entity_side.gather(everything, CPU),
        data.gold_of(mentions).tolist(),
        negatives.flatten().tolist(),
    )


def batch_of(trainer: Trainer, golds: list[int], negatives: list[list[int]]) -> Batch:
    """One training mention for each gold entity given, another one where it repeats, and negatives."""
    gold = trainer.data.gold_of(trainer.mentions).tolist()
    rows: list[int] = []
    for wanted in golds:
        rows.append(next(i for i, g in enumerate(gold) if g == wanted and i not in rows))
    return Batch(trainer.mentions[rows], torch.tensor(negatives, dtype=torch.int64))


@pytest.mark.parametrize(
    ("golds", "negatives"),
    [
        ([0], [[]]),
        ([0, 1, 2], [[], [], []]),
        ([0, 0, 1], [[], [], []]),  # the same gold twice is one column
        ([0, 1], [[5, 3], [3, 7]]),  # a mined entity of both is one column
        ([0, 1], [[1, 5], [4, 0]]),  # a mined entity that is another's gold counts once
        ([0, 0], [[5, 6], [5, 6]]),
    ],
)
def test_a_step_minimises_the_formula_over_distinct_entities(
    data: LinkingData, tmp_path: Path, golds: list[int], negatives: list[list[int]]
) -> None:
    # Without the residual's steep scores every column weighs.
    trainer = new_trainer(data, tmp_path, matcher=new_matcher(data, residual=False, dropout=0.0))
    batch = batch_of(trainer, golds, negatives)
    with torch.no_grad():
        wanted = losses_by_formula(trainer, batch)
    found = trainer._step(batch, "here")
    for term in TERMS:
        assert found[term] == pytest.approx(float(wanted[term]), rel=1e-4, abs=1e-5)
    assert found["total"] == pytest.approx(sum(found[term] for term in TERMS), rel=1e-5)


def test_golds_of_another_group_are_no_negatives(data: LinkingData, tmp_path: Path) -> None:
    matcher = new_matcher(data, residual=False, dropout=0.0)
    trainer = new_trainer(data, tmp_path, matcher=matcher, group_size=2)
    batch = batch_of(trainer, [0, 1, 2], [[5, 2], [3, 7], [0, 1]])
    with torch.no_grad():
        pair, last = (
            losses_by_formula(trainer, Batch(*(each[rows] for each in batch)))
            for rows in ([0, 1], [2])
        )
    found = trainer._step(batch, "here")
    for term in TERMS:
        wanted = (2 * float(pair[term]) + float(last[term])) / 3
        assert found[term] == pytest.approx(wanted, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("accumulate", [2, 3, 50])
def test_gradients_in_parts_add_up_to_those_of_the_batch(
    data: LinkingData, tmp_path: Path, accumulate: int
) -> None:
    def gradients(parts: int) -> tuple[dict[str, float], dict[str, Tensor]]:
        matcher = new_matcher(data, dropout=0.0)
        trainer = new_trainer(
            data, tmp_path, matcher=matcher, group_size=2, accumulate=parts, max_grad_norm=1e9
        )
        losses = trainer._step(batch_of(trainer, [0, 1, 2, 0, 1], [[5, 3]] * 5), "here")
        named = matcher.named_parameters()
        return losses, {name: each.grad for name, each in named if each.grad is not None}

    (whole, wanted), (losses, found) = gradients(1), gradients(accumulate)
    assert losses == pytest.approx(whole, rel=1e-4)
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-5)


def test_terms_of_absent_units_are_left_out(data: LinkingData, tmp_path: Path) -> None:
    matcher = new_matcher(data, units=["text"])
    progress = new_trainer(data, tmp_path, matcher=matcher, max_epochs=1).run()
    assert sorted(progress.history[-1]["loss"]) == ["overall", "text", "total"]


def test_it_learns(tmp_path: Path) -> None:
    data = open_toy(tmp_path / "store", Toy(mentions=240, entities=40, blur=0.3))
    matcher = new_matcher(data, residual=False, dropout=0.0, units=["text"])
    trainer = new_trainer(
        data,
        tmp_path / "work",
        matcher=matcher,
        max_epochs=6,
        patience=6,
        batch_size=16,
        learning_rate=0.03,
    )
    history = trainer.run().history
    assert history[0]["held_out_mrr"] < 20  # a random projection
    assert max(record["held_out_mrr"] for record in history) > 45
    assert history[-1]["loss"]["total"] < history[1]["loss"]["total"] / 2
    assert mrr_on(data)(trainer.matcher, data.linkable("test")) > 45


def scripted(values: list[float], seen: list[dict[str, Tensor]]) -> object:
    """MRRs as told; remembers the weights it was shown."""

    def mrr_of(matcher: Matcher, mentions: Tensor) -> float:
        assert not matcher.training
        seen.append({name: value.clone() for name, value in matcher.state_dict().items()})
        return values[len(seen) - 1]

    return mrr_of


@pytest.mark.parametrize(
    ("values", "patience", "last", "best"),
    [
        ([10, 20, 15, 15, 15, 99], 3, 4, 1),
        ([10, 20, 15, 21, 15, 15, 99], 2, 5, 3),
        ([50, 10, 10, 99], 2, 2, 0),  # never better than untrained
        ([10, 10, 99], 1, 1, 0),  # as good is not better
        ([10, 11, 12, 13, 14, 15, 16], 1, 6, 6),
    ],
)
def test_it_stops_after_patience_epochs_and_keeps_the_best_weights(
    data: LinkingData, tmp_path: Path, values: list[float], patience: int, last: int, best: int
) -> None:
    seen: list[dict[str, Tensor]] = []
    mrr_of = scripted(values, seen)
    trainer = new_trainer(
        data,
        tmp_path,
        mrr_of,  # type: ignore[arg-type]
        max_epochs=6,
        patience=patience,
        batch_size=64,
    )
    progress, weights = outcome(trainer)
    assert [record["epoch"] for record in progress.history] == list(range(last + 1))
    assert (progress.best_epoch, progress.best_mrr) == (best, values[best])
    for name, value in seen[best].items():
        assert torch.equal(weights[name], value), name


@pytest.mark.parametrize(
    ("max_epochs", "min_steps", "expected"), [(2, 0, 2), (2, 5, 3), (2, 4, 2), (5, 4, 5), (0, 9, 0)]
)
def test_few_mentions_get_more_epochs(
    data: LinkingData, tmp_path: Path, max_epochs: int, min_steps: int, expected: int
) -> None:
    half = math.ceil(len(data.linkable("train")) / 2)
    sizes: dict[str, Any] = {"max_epochs": max_epochs, "min_steps": min_steps, "batch_size": half}
    trainer = new_trainer(data, tmp_path, patience=1000, schedule="linear", **sizes)
    move, rates = trainer.optimiser.step, list[float]()

    def noted(learning_rate: float) -> None:
        rates.append(learning_rate)
        move(learning_rate)

    trainer.optimiser.step = noted  # type: ignore[method-assign]
    progress = trainer.run()
    assert progress.epoch == expected
    assert progress.step == len(rates) == 2 * expected
    assert rates == pytest.approx([0.01 * (1 - i / len(rates)) for i in range(len(rates))])
    assert [record["learning_rate"] for record in progress.history[1:]] == rates[1::2]


def test_it_does_not_stop_before_min_steps(data: LinkingData, tmp_path: Path) -> None:
    mrr_of = scripted([50.0] + [10.0] * 9, [])
    batch = len(data.linkable("train"))
    trainer = new_trainer(
        data,
        tmp_path,
        mrr_of,  # type: ignore[arg-type]
        max_epochs=9,
        patience=1,
        min_steps=4,
        batch_size=batch,
    )
    assert trainer.run().epoch == 4


def test_no_epoch_keeps_the_untrained_matcher(data: LinkingData, tmp_path: Path) -> None:
    heard = Heard()
    trainer = new_trainer(data, tmp_path, listener=heard, max_epochs=0)
    before = {name: value.clone() for name, value in trainer.matcher.state_dict().items()}
    progress, weights = outcome(trainer)
    assert [record.epoch for record in heard.records] == [0]
    assert (progress.step, progress.best_epoch) == (0, 0)
    assert all(torch.equal(weights[name], value) for name, value in before.items())


def test_a_knowledge_base_of_one_entity_trains(tmp_path: Path) -> None:
    data = open_toy(tmp_path / "store", Toy(mentions=12, entities=1))
    progress = new_trainer(data, tmp_path / "work").run()
    assert progress.history[-1]["loss"]["total"] == 0
    assert progress.best_mrr == 100


def test_a_text_only_store_trains(tmp_path: Path) -> None:
    data = open_toy(tmp_path / "store", Toy(images=False))
    progress = new_trainer(data, tmp_path / "work", max_epochs=1).run()
    assert sorted(progress.history[-1]["loss"]) == ["overall", "text", "total"]


def poisoned(side: FeatureSide, record: int, value: float) -> FeatureSide:
    """The same features but for one value in one record's first token."""
    tokens = in_memory(side.texts.tokens)
    row = int(side.text_rows[record])
    tokens.values_TC[tokens.lengths_N[:row].sum(), 0] = value
    return replace(side, texts=replace(side.texts, tokens=tokens))


def test_a_nan_loss_names_epoch_batch_and_mention_and_keeps_the_checkpoint(
    data: LinkingData, tmp_path: Path
) -> None:
    bad = replace(data, mention_side=poisoned(data.mention_side, 8, float("nan")))
    trainer = new_trainer(bad, tmp_path, checkpoint_every=1)
    rule = r"epoch 1, batch \d: the loss is nan \(mentions m8\); the last good checkpoint is kept"
    with pytest.raises(TrainingError, match=rule) as caught:
        trainer.run()
    assert str(tmp_path) in str(caught.value)
    assert_good_checkpoint(tmp_path)


def test_a_nan_in_an_entity_names_the_mentions_that_meet_it(
    data: LinkingData, tmp_path: Path
) -> None:
    bad = replace(data, entity_side=poisoned(data.entity_side, 3, float("nan")))
    trainer = new_trainer(bad, tmp_path, lambda *_: 0.0)
    batch = batch_of(trainer, [0, 3, 1, 2, 4, 5], [[]] * 6)
    ids = ", ".join(data.mentions[i].mention_id for i in batch.mentions[:5].tolist())
    with pytest.raises(TrainingError, match=rf"here: the loss is nan \(mentions {ids}, …\)"):
        trainer._step(batch, "here")


def spoil(parameter: Tensor) -> None:
    assert parameter.grad is not None
    parameter.grad.fill_(float("inf"))


def test_an_infinite_gradient_stops_before_it_spoils_the_weights(
    data: LinkingData, tmp_path: Path
) -> None:
    trainer = new_trainer(data, tmp_path, checkpoint_every=1)
    weight = trainer.matcher.get_parameter("text_stem.fine_norm.weight")
    weight.register_post_accumulate_grad_hook(spoil)  # type: ignore[no-untyped-call]
    with pytest.raises(TrainingError, match=r"epoch 1, batch 1: the gradient is (nan|inf)"):
        trainer.run()
    assert all(bool(torch.isfinite(p).all()) for p in trainer.matcher.parameters())
    assert_good_checkpoint(tmp_path)


def assert_good_checkpoint(work: Path) -> None:
    _, state = read_tensors(work / LAST)
    assert state
    assert all(bool(torch.isfinite(v).all()) for v in state.values())


def test_the_listener_hears_of_the_untrained_matcher_and_of_every_epoch(
    data: LinkingData, tmp_path: Path
) -> None:
    heard = Heard()
    trainer = new_trainer(data, tmp_path, listener=heard)
    progress = trainer.run()
    assert [vars(record) for record in heard.records] == progress.history
    assert [(r.epoch, r.step) for r in heard.records] == [(0, 0), (1, 4), (2, 8), (3, 12)]
    for shares in heard.records[1].expert_load.values():
        assert sum(shares) == pytest.approx(1)
    assert heard.records[0].expert_load == {}
