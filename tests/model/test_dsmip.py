"""DSMIP: the gate's choice decides each pair's score, in scores, in bounds and in ranks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.config.dsmip import DsmipParams
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranking import rank_mentions
from mmoe.model.costs import num_parameters
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.losses import LossBatch
from mmoe.model.matcher import OVERALL, MatcherSpec
from mmoe.model.matchers.dsmip import Dsmip

from tests.model.matchers import TEXT_ONLY, WIDTHS, model_params, random_side

EXPERTS = ("text", "vision", "multimodal")
CHOICES = (EXPERTS, ("text", "multimodal"), ("multimodal", "text"), ("text",), ("multimodal",))


def dsmip(
    experts: tuple[str, ...] = EXPERTS, gated: bool = True, seed: int = 0, **own: Any
) -> Dsmip:
    """A matcher whose every weight is random."""
    section = DsmipParams.model_validate({"experts": experts, "gate_dim": 6, **own})
    model = model_params(name="dsmip")
    widths = WIDTHS if experts != ("text",) else TEXT_ONLY
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        matcher = Dsmip(MatcherSpec(widths, model, section)).eval()
        for parameter in matcher.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
        for gate in matcher.gates:  # so that the choice depends on the pair
            gate.get_parameter("last.weight").mul_(3)
            gate.get_parameter("last.bias").zero_()
    matcher.gated.fill_(gated)
    return matcher


def sides(
    experts: tuple[str, ...], seed: int, with_base: bool
) -> tuple[SideFeatures, SideFeatures]:
    """Five mentions and seven entities, some of them without an image."""
    found = []
    for number, (lengths, patches) in enumerate(
        (([3, 1, 4, 2, 2], [2, 0, 3, 1, 0]), ([2, 5, 1, 3, 3, 1, 2], [1, 2, 0, 3, 3, 0, 1]))
    ):
        shown = patches if experts != ("text",) else None
        widths = WIDTHS if shown else TEXT_ONLY
        side = random_side(lengths, shown, widths, seed=2 * seed + number)
        if with_base:
            base = random_side(lengths, shown, widths, seed=100 + 2 * seed + number)
            side = replace(side, base=base)
        found.append(side)
    return found[0], found[1]


@pytest.mark.parametrize("experts", CHOICES)
@given(seed=st.integers(0, 50), gated=st.booleans(), with_base=st.booleans())
@settings(max_examples=8, deadline=None)
def test_ranks_by_bounds_are_those_of_brute_force(
    experts: tuple[str, ...], seed: int, gated: bool, with_base: bool
) -> None:
    matcher = dsmip(experts, gated, seed)
    mentions, entities = sides(experts, seed, with_base)
    index = EntityIndex.build(matcher, [entities])
    gold = torch.tensor([0, 3, 4, 6, 2])
    found = {
        engine: rank_mentions(index, [mentions], gold, engine=engine, top_n=3)
        for engine in ("bounds", "brute")
    }
    assert found["bounds"].ranks.pessimistic.tolist() == found["brute"].ranks.pessimistic.tolist()
    assert found["bounds"].ranks.optimistic.tolist() == found["brute"].ranks.optimistic.tolist()
    with torch.no_grad():
        overall = matcher(mentions, entities)[OVERALL]
    ahead = (overall > overall[torch.arange(5), gold][:, None] + 1e-3).sum(dim=1)
    assert (torch.tensor(found["brute"].ranks.pessimistic.tolist()) > ahead).all()


@torch.no_grad()
def test_a_pair_gets_the_score_of_the_expert_that_the_gate_chooses() -> None:
    matcher = dsmip(seed=3)
    mentions, entities = sides(EXPERTS, 3, with_base=True)
    encoded = matcher.encode_mentions(mentions), matcher.encode_entities(entities)
    scores = matcher.scores(*encoded)
    choices_BN = matcher.gate_logits(*encoded).argmax(dim=-1)
    assert len(set(choices_BN.flatten().tolist())) > 1
    for b in range(5):
        for n in range(7):
            chosen = EXPERTS[int(choices_BN[b, n])]
            assert scores[OVERALL][b, n] == scores[chosen][b, n]
    assert torch.equal(
        dsmip(gated=False, seed=3)(mentions, entities)[OVERALL], scores["multimodal"]
    )


@torch.no_grad()
def test_text_and_vision_experts_and_the_gate_read_the_untuned_encoder() -> None:
    matcher = dsmip(seed=4)
    mentions, entities = sides(EXPERTS, 4, with_base=True)
    assert mentions.base is not None
    assert entities.base is not None
    both = matcher(mentions, entities)
    base = matcher(mentions.base, entities.base)
    tuned = matcher(replace(mentions, base=None), replace(entities, base=None))
    torch.testing.assert_close(both["text"], base["text"])
    torch.testing.assert_close(both["vision"], base["vision"])
    torch.testing.assert_close(both["multimodal"], tuned["multimodal"])
    assert not torch.allclose(both["text"], tuned["text"])


@torch.no_grad()
def test_own_entities_get_the_scores_of_all_pairs() -> None:
    matcher = dsmip(seed=5)
    mentions, entities = sides(EXPERTS, 5, with_base=False)
    encoded, everyone = matcher.encode_mentions(mentions), matcher.encode_entities(entities)
    own = torch.tensor([[0, 3], [1, 1], [6, 2], [4, 5], [2, 0]])
    chosen = {name: unit.select(own.flatten()) for name, unit in everyone.items()}
    found, whole = matcher.scores_of_own(encoded, chosen), matcher.scores(encoded, everyone)
    for name, values in found.items():
        torch.testing.assert_close(values, whole[name].gather(1, own))


@pytest.mark.parametrize("lacking", [0, 1])
@torch.no_grad()
def test_a_missing_image_tells_the_gate_nothing(lacking: int) -> None:
    matcher, side = dsmip(seed=6), random_side([3, 2], [2, 0], seed=8)
    assert side.image is not None
    assert side.image_pooled_BP is not None
    values = side.image.values_TC.clone()
    values[-1] = 7.0  # the placeholder of the row without an image
    other = replace(side, image=side.image.with_values(values))
    gate = matcher.gates[lacking]
    assert torch.equal(gate(side), gate(other))


def loss_batch(scores: dict[str, Tensor]) -> LossBatch:
    side = random_side([1] * 5, [1] * 5)
    gold = torch.tensor([0, 3, 4, 6, 2])
    allowed = torch.ones_like(next(iter(scores.values())), dtype=torch.bool)
    return LossBatch(scores, gold, allowed, side, lambda: side, gold)


@pytest.mark.parametrize(("share", "learn"), [(0.0, "alone"), (0.49, "alone"), (0.5, "together")])
def test_experts_learn_alone_then_the_gate_with_them(share: float, learn: str) -> None:
    matcher = dsmip(gated=False).train()
    matcher.at_progress(share)
    mentions, entities = sides(EXPERTS, 1, with_base=False)
    torch.manual_seed(0)
    batch = loss_batch(matcher(mentions, entities))
    terms = matcher.loss_terms()
    assert set(terms) == {OVERALL, *EXPERTS}
    total = torch.stack([term(batch) for term in terms.values()]).sum()
    total.backward()  # type: ignore[no-untyped-call]

    def learns(module: torch.nn.Module) -> bool:
        return any(p.grad is not None and bool(p.grad.any()) for p in module.parameters())

    assert all(learns(matcher.experts[name]) for name in EXPERTS)
    assert all(learns(gate) == (learn == "together") for gate in matcher.gates)
    assert matcher.may_stop == (learn == "together")


def test_an_experts_gradient_alone_is_that_of_its_own_loss() -> None:
    matcher = dsmip(gated=False).train()
    mentions, entities = sides(EXPERTS, 2, with_base=False)
    batch = loss_batch(matcher(mentions, entities))
    terms = matcher.loss_terms()
    parameters = list(matcher.experts["text"].parameters())
    together = torch.autograd.grad(
        sum((terms[name](batch) for name in EXPERTS), start=torch.zeros(())),
        parameters,
        retain_graph=True,
        allow_unused=True,
    )
    alone = torch.autograd.grad(terms["text"](batch), parameters, allow_unused=True)
    for ours, wanted in zip(together, alone, strict=True):
        assert (ours is None) == (wanted is None)
        if ours is not None and wanted is not None:
            torch.testing.assert_close(ours, wanted)


def test_the_choice_in_training_is_hard_forward_and_soft_backward() -> None:
    matcher = dsmip(temperature=0.5)
    of_experts = [
        torch.tensor([[2.0, -1.0]]),
        torch.tensor([[5.0, 4.0]]),
        torch.tensor([[0.0, 1.0]]),
    ]
    logits = torch.tensor([[[1.0, 0.5, 0.0], [0.0, 0.0, 3.0]]], requires_grad=True)
    matcher.train()
    torch.manual_seed(7)
    chosen = matcher._chosen(of_experts, logits)
    stacked = torch.stack(of_experts, dim=-1)
    for value, options in zip(chosen.flatten(), stacked.flatten(0, 1), strict=True):
        assert any(torch.isclose(value, option) for option in options)
    chosen.sum().backward()  # type: ignore[no-untyped-call]
    torch.manual_seed(7)
    noise = -torch.empty_like(logits).exponential_().log()
    free = logits.detach().requires_grad_()
    soft = ((free + noise) / 0.5).softmax(dim=-1)
    (soft * stacked).sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert free.grad is not None
    torch.testing.assert_close(logits.grad, free.grad)
    matcher.eval()
    assert matcher._chosen(of_experts, logits).tolist() == [[2.0, 1.0]]


def test_trainable_parameters_of_the_multimodal_expert() -> None:
    """DSMIP Table 3 says 7.6 M with prompts, of which these units are what remains."""
    widths = FeatureWidths(text=512, text_pooled=512, image=768, image_pooled=512, joint=True)
    section = DsmipParams(experts=("multimodal",))
    matcher = Dsmip(MatcherSpec(widths, model_params(name="dsmip", embed_dim=96), section))
    units = num_parameters(matcher.expert("multimodal"))
    prompts = 2 * 9 * (2 * 512 + 512 * 768 + 768)
    assert 7.3e6 < units + prompts < 7.7e6
