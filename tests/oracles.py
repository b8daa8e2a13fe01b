"""Slow and obvious versions that the fast paths are held against.

They work on one token, one mention and one entity at a time, in double precision, with the weights of
the matcher under test: no packing, no padding, no bounds, no inner-product tricks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmoe.model.experts import SparseExperts
from mmoe.model.features import SideFeatures
from mmoe.model.matchers.mmoe import MMoE
from mmoe.model.packed import Packed
from mmoe.model.router import Routing


def dense_experts(layer: SparseExperts, tokens_TC: Tensor, routing: Routing) -> Tensor:
    """Every expert on every token, then a weighted sum."""
    every_TKD = torch.stack([expert(tokens_TC) for expert in layer.experts], dim=1)
    gates_TK = tokens_TC.new_zeros(len(tokens_TC), len(layer.experts))
    gates_TK.scatter_(1, routing.experts_Tk, routing.gates_Tk)
    return (gates_TK[..., None] * every_TKD).sum(dim=1)


@dataclass(frozen=True)
class Item:
    """One mention or entity: vectors, lists of vectors, and None for a missing image."""

    tokens: list[Tensor]
    text: Tensor
    name: Tensor
    patches: list[Tensor] | None
    image: Tensor | None


def items_of(features: SideFeatures) -> list[Item]:
    """The rows of a batch, one by one, in double precision."""
    items = []
    for i in range(len(features)):
        patches = image = None
        if features.image is not None and _row(features.has_image_B, i):
            assert features.image_pooled_BP is not None
            patches, image = sequence(features.image, i), features.image_pooled_BP[i].double()
        items.append(
            Item(
                sequence(features.text, i),
                features.text_pooled_BP[i].double(),
                features.name_pooled_BP[i].double(),
                patches,
                image,
            )
        )
    return items


def sequence(packed: Packed, row: int) -> list[Tensor]:
    """The tokens of one sequence, in double precision."""
    lengths = packed.lengths_B.tolist()
    start = sum(lengths[:row])
    return [packed.values_TC[t].double() for t in range(start, start + lengths[row])]


def pair_scores(matcher: MMoE, mention: Item, entity: Item) -> dict[str, Tensor]:
    """Each unit's score of one pair, and `overall`, their sum (MMoE eq. 3-8)."""
    formulas = {"text": _text_score, "vision": _vision_score, "cross": _cross_score}
    scores = {name: formulas[name](matcher, mention, entity) for name in matcher.unit_names}
    return {**scores, "overall": torch.stack(list(scores.values())).sum()}


def score_table(matcher: MMoE, mentions: SideFeatures, entities: SideFeatures) -> dict[str, Tensor]:
    """`pair_scores` of all pairs: [B, N] a unit."""
    rows = [
        [pair_scores(matcher, mention, entity) for entity in items_of(entities)]
        for mention in items_of(mentions)
    ]
    return {
        name: torch.stack([torch.stack([pair[name] for pair in row]) for row in rows])
        for name in rows[0][0]
    }


def cross_entropy(scores: Sequence[Tensor], gold: Tensor) -> Tensor:
    """-log of the gold's share among all candidates, the gold included in `scores`."""
    return -(gold.exp() / torch.stack([score.exp() for score in scores]).sum()).log()


def batch_losses(
    matcher: MMoE,
    mentions: SideFeatures,
    entities: SideFeatures,
    gold: Sequence[int],
    negatives: Sequence[int],
) -> dict[str, Tensor]:
    """MMoE eq. 8, a loss a term: every mention against the set of the group's golds and negatives."""
    items = items_of(entities)
    losses: dict[str, list[Tensor]] = {term: [] for term in (*matcher.unit_names, "overall")}
    for mention, right in zip(items_of(mentions), gold, strict=True):
        scores = {
            entity: pair_scores(matcher, mention, items[entity]) for entity in {*gold, *negatives}
        }
        for term, found in losses.items():
            candidates = [score[term] for score in scores.values()]
            found.append(cross_entropy(candidates, scores[right][term]))
    return {term: torch.stack(found).mean() for term, found in losses.items()}


def rank_by_sorting(scores: Sequence[float], gold: int, margin: float) -> tuple[int, int]:
    """Pessimistic and optimistic rank: the gold sorted after, then before, all that tie with it."""
    best = scores[gold]
    snapped = [best if abs(s - best) <= margin else s for s in scores]
    others = range(len(scores))
    last = sorted(others, key=lambda entity: (-snapped[entity], entity == gold))
    first = sorted(others, key=lambda entity: (-snapped[entity], entity != gold))
    return last.index(gold) + 1, first.index(gold) + 1


def best_by_sorting(scores: Sequence[float], margin: float) -> list[int]:
    """All entities, best first; those that tie with the best one left stand in their own order."""
    left, ordered = set(range(len(scores))), []
    while left:
        leader = max(scores[entity] for entity in left)
        tied = sorted(entity for entity in left if scores[entity] >= leader - margin)
        ordered += tied
        left -= set(tied)
    return ordered


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """a · b / |a| |b|."""
    return a @ b / (a @ a).sqrt() / (b @ b).sqrt()


def _text_score(matcher: MMoE, mention: Item, entity: Item) -> Tensor:
    unit: Any = matcher.unit("text")
    score = _intra_score(unit, _text_inputs(matcher, mention), _text_inputs(matcher, entity))
    for residual, a, b in (
        (unit.text_residual, mention.text, entity.text),
        (unit.name_residual, mention.name, entity.name),
    ):
        score = score + _residual(residual, a, b)
    return score


def _vision_score(matcher: MMoE, mention: Item, entity: Item) -> Tensor:
    unit: Any = matcher.unit("vision")
    score: Tensor = unit.missing.value.double()
    if mention.image is not None and entity.image is not None:
        score = _intra_score(unit, _image_inputs(matcher, mention), _image_inputs(matcher, entity))
    return score + _residual(unit.image_residual, mention.image, entity.image)


def _intra_score(
    unit: Any, mention: tuple[Tensor, list[Tensor]], entity: tuple[Tensor, list[Tensor]]
) -> Tensor:
    """(h_e · h_m + h_e · G) / 2, G the mean of what each entity token takes from the mention's."""
    h_m, tokens_m = _projected(unit.projection, mention[0]), mention[1]
    h_e, tokens_e = _projected(unit.projection, entity[0]), entity[1]
    queries = [_linear(unit.query, _projected(unit.projection, token)) for token in tokens_e]
    keys = [_linear(unit.key, _projected(unit.projection, token)) for token in tokens_m]
    values = [_linear(unit.value, _projected(unit.projection, token)) for token in tokens_m]
    taken = [_attend(query / math.sqrt(len(h_m)), keys, values) for query in queries]
    return (h_e @ h_m + h_e @ (torch.stack(taken).sum(dim=0) / len(taken))) / 2


def _cross_score(matcher: MMoE, mention: Item, entity: Item) -> Tensor:
    unit: Any = matcher.unit("cross")
    score: Tensor = unit.missing.value.double()
    if mention.image is not None and entity.image is not None:
        score = _context_score(matcher, unit, mention, entity)
    score = score + _residual(unit.text_image_residual, mention.text, entity.image)
    return score + _residual(unit.image_text_residual, mention.image, entity.text)


def _context_score(matcher: MMoE, unit: Any, mention: Item, entity: Item) -> Tensor:
    """(S_tvm + S_vtm) / 2 (MMoE eq. 6 and 7)."""
    sides = []
    for item in (mention, entity):
        (text, tokens), (image, patches) = _text_inputs(matcher, item), _image_inputs(matcher, item)
        h_text, h_image = (
            _projected(unit.projection, _linear(unit.text_fit, text)),
            _projected(unit.projection, _linear(unit.image_fit, image)),
        )
        fine_text = [_projected(unit.projection, _linear(unit.text_fit, t)) for t in tokens]
        fine_image = [_projected(unit.projection, _linear(unit.image_fit, p)) for p in patches]
        sides.append(
            (
                _in_context(unit.text_in_vision, h_text, fine_image),
                _in_context(unit.vision_in_text, h_image, fine_text),
            )
        )
    (tvm_m, vtm_m), (tvm_e, vtm_e) = sides
    score: Tensor = (tvm_m @ tvm_e + vtm_m @ vtm_e) / 2
    return score


def _in_context(context: Any, h: Tensor, tokens: list[Tensor]) -> Tensor:
    normed: Tensor = _layer_norm(context.norm, h.tanh() * h + _attend(h, tokens, tokens))
    return normed


def _attend(query: Tensor, keys: list[Tensor], values: list[Tensor]) -> Tensor:
    weights = [(query @ key).exp() for key in keys]
    total = torch.stack(weights).sum()
    return torch.stack([w / total * v for w, v in zip(weights, values, strict=True)]).sum(dim=0)


def _residual(residual: Any, a: Tensor | None, b: Tensor | None) -> Tensor:
    """τ cos(a, b), or τ b₀ where one of the two is missing."""
    if residual is None:
        return torch.zeros((), dtype=torch.float64)
    scale: Tensor = residual.log_scale.double().exp()
    if a is None or b is None:
        missing: Tensor = residual.missing.double()
        return scale * missing
    return scale * cosine(a, b)


def _text_inputs(matcher: MMoE, item: Item) -> tuple[Tensor, list[Tensor]]:
    stem = matcher.text_stem
    pooled = item.text if isinstance(stem.fit, nn.Identity) else _linear(stem.fit, item.text)
    tokens = [_layer_norm(stem.fine_norm, token) for token in item.tokens]
    return _layer_norm(stem.coarse_norm, pooled), tokens


def _image_inputs(matcher: MMoE, item: Item) -> tuple[Tensor, list[Tensor]]:
    stem = matcher.image_stem
    assert stem is not None
    assert item.image is not None
    assert item.patches is not None
    patches = [_layer_norm(stem.fine_norm, _linear(stem.fine, patch)) for patch in item.patches]
    return _layer_norm(stem.coarse_norm, _linear(stem.coarse, item.image)), patches


def _projected(projection: Any, x: Tensor) -> Tensor:
    """One token through the MLP and the SMoE layers."""
    for layer in projection.fusion:
        x = _gelu(x) if isinstance(layer, nn.GELU) else _linear(layer, x)
    for layer in projection.inner:
        x = x + _mixture(layer, x)
    return _mixture(projection.last, x)


def _mixture(layer: Any, x: Tensor) -> Tensor:
    """Σ over the top_k most probable experts of R_i · FFN_i(x)."""
    weights = [logit.exp() for logit in _linear(layer.router.score, x)]
    gates = [weight / torch.stack(weights).sum() for weight in weights]
    chosen = sorted(range(len(gates)), key=lambda i: -gates[i].item())[: layer.router.top_k]
    total = torch.stack([gates[i] for i in chosen]).sum() if layer.router.renormalise else 1.0
    outputs = []
    for i in chosen:
        inner, _, outer = layer.experts.experts[i]
        outputs.append(gates[i] / total * _linear(outer, _gelu(_linear(inner, x))))
    return torch.stack(outputs).sum(dim=0)


def _linear(layer: Any, x: Tensor) -> Tensor:
    y: Tensor = layer.weight.double() @ x + layer.bias.double()
    return y


def _layer_norm(layer: Any, x: Tensor) -> Tensor:
    centred = x - x.mean()
    normed = centred / (centred.square().mean() + layer.eps).sqrt()
    scaled: Tensor = normed * layer.weight.double() + layer.bias.double()
    return scaled


def _gelu(x: Tensor) -> Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def _row(mask: Tensor | None, row: int) -> bool:
    assert mask is not None
    return bool(mask[row])
