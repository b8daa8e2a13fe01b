"""DSMIP: an expert for each set of modalities, and a gate that chooses one of them for every pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmoe.config.dsmip import DsmipParams
from mmoe.config.mimic import MimicParams
from mmoe.config.model import Unit
from mmoe.model.encoded import EncodedEntities, EncodedMentions, EncodedUnit
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.losses import LossBatch, LossTerm, cross_entropy_terms
from mmoe.model.matcher import OVERALL, Matcher, MatcherSpec
from mmoe.model.matchers.mimic import Mimic
from mmoe.model.residual import image_of

UNITS: dict[str, tuple[Unit, ...]] = {
    "text": ("text",),
    "vision": ("vision",),
    "multimodal": ("text", "vision", "cross"),
}
MULTIMODAL, GATE = "multimodal", "gate"


class SideGate(nn.Module):
    """One side's share of the gate's logits: an MLP over its text and its image, and a linear layer.

    The paper joins what both sides' MLPs give before the last linear layer, which is then a sum over the
    sides.

    Source: DSMIP §3.3. Differs from the paper: the image is the frozen vision tower's first state (CLIP's
        class state) and not VGG-16's 4096 numbers, a missing image is a learned vector, and there is no ReLU
        behind the last layer, whose zeros have no logarithm.
    """

    def __init__(self, widths: FeatureWidths, own: DsmipParams) -> None:
        super().__init__()
        dim, dropout = own.gate_dim, own.gate_dropout
        self.no_image = nn.Parameter(torch.zeros(widths.image))
        layers: list[nn.Module] = []
        for width in (widths.text_pooled + widths.image, dim):
            layers += [nn.Linear(width, dim), nn.LeakyReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Linear(dim, len(own.experts))

    def forward(self, features: SideFeatures) -> Tensor:
        """[B, experts]; in float32, so that the choice is the same whatever the precision around it."""
        with torch.autocast(features.text_pooled_BP.device.type, enabled=False):
            parts = [features.text_pooled_BP.float()]
            if features.image is not None:
                _, has_B = image_of(features)
                firsts_BC = features.image.values_TC.index_select(
                    0, features.image.starts_B
                ).float()
                parts.append(torch.where(has_B[:, None], firsts_BC, self.no_image))
            logits: Tensor = self.last(self.layers(torch.cat(parts, dim=-1)))
        return logits


class Dsmip(Matcher):
    """DSMIP's experts, which are MIMIC's units on text, on images and on both, and its gate.

    In the first part of training (`dsmip.expert_share`) each expert learns alone; in the second the gate and
    the units learn together, from the score of the chosen expert. Until then the multimodal expert, or the
    last one, decides. Where stage tune has made an encoder with prompts, the multimodal expert reads its
    features, the others those of the untuned one (`encode.keep_base`).

    Attributes:
        gated: whether the gate decides.
    Raises:
        ValueError: if an expert needs images and `spec.widths` has none.
    Source: DSMIP (ACL submission), eq. 9–18. The choice is straight-through Gumbel-softmax in training, the
        largest logit otherwise; equal logits take the first. MIMIC's units are the mended ones. What differs
        in the gate is said in `SideGate`.
    """

    NAME = "dsmip"
    SECTION = DsmipParams
    gated: Tensor

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__(spec)
        assert isinstance(spec.own, DsmipParams)
        self.own = spec.own
        self.experts = nn.ModuleDict({name: _expert(name, spec) for name in spec.own.experts})
        self.gates = nn.ModuleList(SideGate(spec.widths, spec.own) for _ in range(2))
        self.register_buffer("gated", torch.tensor(False))
        self._gate_may_learn = len(spec.own.experts) > 1

    @property
    def unit_names(self) -> tuple[str, ...]:
        return tuple(self.experts)

    def expert(self, name: str) -> Mimic:
        """One expert by its name."""
        expert = self.experts[name]
        assert isinstance(expert, Mimic)
        return expert

    def encode_mentions(self, features: SideFeatures) -> EncodedMentions:
        return self._encode(features, of_mentions=True)

    def encode_entities(self, features: SideFeatures) -> EncodedEntities:
        return self._encode(features, of_mentions=False)

    def _encode(self, features: SideFeatures, *, of_mentions: bool) -> dict[str, EncodedUnit]:
        base = features if features.base is None else features.base
        encoded = {GATE: EncodedUnit(self.gates[of_mentions](base))}
        for name in self.experts:
            expert, seen = self.expert(name), features if name == MULTIMODAL else base
            units = expert.encode_mentions(seen) if of_mentions else expert.encode_entities(seen)
            encoded |= {f"{name}.{unit}": each for unit, each in units.items()}
        return encoded

    def scores(self, mentions: EncodedMentions, entities: EncodedEntities) -> dict[str, Tensor]:
        scores = {
            name: self.expert(name).scores(*_of(name, mentions, entities))[OVERALL]
            for name in self.experts
        }
        return scores | {
            OVERALL: self._chosen(list(scores.values()), self.gate_logits(mentions, entities))
        }

    def scores_of_own(
        self, mentions: EncodedMentions, entities: EncodedEntities
    ) -> dict[str, Tensor]:
        scores = {
            name: self.expert(name).scores_of_own(*_of(name, mentions, entities))[OVERALL]
            for name in self.experts
        }
        ours_BE = mentions[GATE].inner_BI
        theirs_BnE = entities[GATE].inner_BI.view(len(ours_BE), -1, ours_BE.shape[1])
        return scores | {
            OVERALL: self._chosen(list(scores.values()), ours_BE[:, None] + theirs_BnE)
        }

    def bounds(self, mentions: EncodedMentions, entities: EncodedEntities) -> tuple[Tensor, Tensor]:
        found = [self.expert(name).bounds(*_of(name, mentions, entities)) for name in self.experts]
        lows, highs = map(list, zip(*found, strict=True))
        logits_BNE = self.gate_logits(mentions, entities)
        return self._chosen(lows, logits_BNE), self._chosen(highs, logits_BNE)

    def search_vectors(self, encoded: EncodedMentions | EncodedEntities) -> Tensor:
        """Those of the expert that decides alone: which one the gate chooses depends on the pair."""
        return self.expert(self._alone).search_vectors(_part(self._alone, encoded))

    def gate_logits(self, mentions: EncodedMentions, entities: EncodedEntities) -> Tensor:
        """[B, N, experts], in the order of `unit_names`: the gate chooses the largest of each pair."""
        return mentions[GATE].inner_BI[:, None] + entities[GATE].inner_BI

    def loss_terms(self) -> dict[str, LossTerm]:
        terms = cross_entropy_terms([OVERALL, *self.unit_names])
        return {name: self._in_its_part(name, term) for name, term in terms.items()}

    def at_progress(self, share: float) -> None:
        self.gated.fill_(self._gate_may_learn and share >= self.own.expert_share)

    @property
    def may_stop(self) -> bool:
        return bool(self.gated) or not self._gate_may_learn

    def for_tuning(self) -> tuple[str, ...]:
        """Only the multimodal expert's encoder is tuned, with this expert alone."""
        self._gate_may_learn = False
        return (self._alone,)

    def calibrate(self, mentions: SideFeatures, entities: SideFeatures) -> None:
        for name in self.experts:
            sides = [
                side if name == MULTIMODAL or side.base is None else side.base
                for side in (mentions, entities)
            ]
            self.expert(name).calibrate(*sides)

    @property
    def _alone(self) -> str:
        """The expert that decides without the gate."""
        return MULTIMODAL if MULTIMODAL in self.experts else self.unit_names[-1]

    def _chosen(self, of_experts: list[Tensor], logits_BNE: Tensor) -> Tensor:
        if not self.gated:
            return of_experts[self.unit_names.index(self._alone)]
        scores_BNE = torch.stack(of_experts, dim=-1)
        if self.training:
            choice = functional.gumbel_softmax(logits_BNE, self.own.temperature, hard=True)
            return (choice * scores_BNE).sum(dim=-1)
        at_BN1 = logits_BNE.argmax(dim=-1, keepdim=True)
        return scores_BNE.gather(-1, at_BN1)[..., 0]

    def _in_its_part(self, name: str, term: LossTerm) -> LossTerm:
        """The experts' terms before the gate decides, the overall one from then on."""

        def counted(batch: LossBatch) -> Tensor:
            counts = bool(self.gated) == (name == OVERALL)
            return term(batch) if counts else batch.scores[OVERALL].new_zeros(())

        return counted


def _expert(name: str, spec: MatcherSpec) -> Mimic:
    model = spec.model.model_copy(update={"name": Mimic.NAME, "units": UNITS[name]})
    expert = Mimic(replace(spec, model=model, own=MimicParams()))
    expert.unit_weight = 1 / len(UNITS[name])
    return expert


def _part(name: str, encoded: Mapping[str, EncodedUnit]) -> dict[str, EncodedUnit]:
    """What one expert sees of encoded mentions or entities."""
    start = f"{name}."
    return {key.removeprefix(start): unit for key, unit in encoded.items() if key.startswith(start)}


def _of(
    name: str, mentions: EncodedMentions, entities: EncodedEntities
) -> tuple[EncodedMentions, EncodedEntities]:
    return _part(name, mentions), _part(name, entities)
