"""The loss is a cross entropy a term, over distinct entities, with masked columns left out."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.model.losses import LossBatch, cross_entropy_terms

from tests.model.matchers import random_side
from tests.oracles import cross_entropy


def losses_of(
    scores: dict[str, Tensor], gold: Tensor, allowed: Tensor, names: list[str]
) -> dict[str, Tensor]:
    """Each term's loss of a step with these scores; the features are anything."""
    features = random_side([1] * len(gold))
    batch = LossBatch(scores, gold, allowed, features, lambda: features, gold)
    return {name: term(batch) for name, term in cross_entropy_terms(names).items()}


@given(st.integers(1, 6), st.integers(1, 7), st.data(), st.integers(0, 2**20))
@settings(deadline=None, max_examples=40)
def test_it_equals_a_loop_over_the_allowed_columns(
    num_mentions: int, num_columns: int, data: st.DataObject, seed: int
) -> None:
    torch.manual_seed(seed)
    columns = st.integers(0, num_columns - 1)
    gold = data.draw(st.lists(columns, min_size=num_mentions, max_size=num_mentions))
    masked = data.draw(st.sets(st.tuples(st.integers(0, num_mentions - 1), columns)))
    allowed = torch.ones(num_mentions, num_columns, dtype=torch.bool)
    for row, column in masked:
        allowed[row, column] = column == gold[row]
    scores = {name: 5 * torch.randn(num_mentions, num_columns) for name in ("overall", "text")}
    found = losses_of(scores, torch.tensor(gold), allowed, ["text", "overall"])
    for name, table in scores.items():
        rows = [
            cross_entropy([s for s, on in zip(row, mask, strict=True) if on], row[right])
            for row, mask, right in zip(table.double(), allowed, gold, strict=True)
        ]
        wanted = torch.stack(rows).mean()
        torch.testing.assert_close(found[name].double(), wanted, rtol=1e-5, atol=1e-6)


def test_a_masked_column_gets_no_gradient() -> None:
    scores = torch.randn(2, 3, requires_grad=True)
    allowed = torch.tensor([[True, True, False], [True, True, True]])
    loss = losses_of({"text": scores}, torch.tensor([0, 0]), allowed, ["text"])["text"]
    (gradient,) = torch.autograd.grad(loss, scores)
    assert gradient[0, 2] == 0
    assert gradient[1, 2] > 0


def test_a_gold_that_is_the_only_column_costs_nothing() -> None:
    loss = losses_of(
        {"text": torch.randn(3, 1)},
        torch.zeros(3, dtype=torch.int64),
        torch.ones(3, 1).bool(),
        ["text"],
    )
    assert loss["text"].item() == 0
