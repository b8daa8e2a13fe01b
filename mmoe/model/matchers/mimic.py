"""MIMIC: text, vision and cross units without experts (KDD 2023); the baseline that DME is also added to."""

from __future__ import annotations

from torch import Tensor, nn

from mmoe.config.mimic import MimicParams
from mmoe.model.attention import own_context
from mmoe.model.dual_gate import DualGate
from mmoe.model.encoded import Column, EncodedUnit
from mmoe.model.features import SideFeatures, Stem
from mmoe.model.matcher import MatcherSpec, SumOfUnits, Unit
from mmoe.model.neutral import ContextUnit, NeutralConstant, image_mask, with_every_image
from mmoe.model.normed_unit import NormedTextUnit
from mmoe.model.packed import Packed
from mmoe.model.token_linear import TokenLinear

MEAN = 1 / 3  # of the three units' scores, whichever of them are there


class DualGatedVisionUnit(Unit):
    """Each side's pooled image against the other's mean patch behind a gate; the mean of both directions.

    A pair's score is neither an inner product nor an attention, but it has a closed form for all pairs, so
    that its bounds are its values.

    Source: MIMIC, vision-based intra-modal matching.
    """

    def __init__(self, dim: int, *, learned_missing: bool) -> None:
        super().__init__()
        self.from_entity, self.from_mention = DualGate(dim, dim), DualGate(dim, dim)
        self.missing = NeutralConstant(learned=learned_missing)

    def encode_mentions(self, inputs: Stem) -> EncodedUnit:
        has_B1 = image_mask(inputs.features)
        return EncodedUnit(self.missing.mention(has_B1), _image_columns(inputs, has_B1))

    def encode_entities(self, inputs: Stem) -> EncodedUnit:
        has_N1 = image_mask(inputs.features)
        return EncodedUnit(self.missing.entity(has_N1), _image_columns(inputs, has_N1))

    def calibrate(self, mentions: Stem, entities: Stem) -> None:
        self.missing.calibrate(self, mentions, entities)

    def fine_scores(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        ours, theirs = (
            (side.tensor("image"), side.tensor("patch_mean")) for side in (mentions, entities)
        )
        scores = self.from_entity(theirs[0], *ours).T + self.from_mention(ours[0], *theirs)
        both = mentions.tensor("has") @ entities.tensor("has").T
        masked: Tensor = scores / 2 * both
        return masked

    def fine_scores_of_own(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        def each(name: str) -> tuple[Tensor, Tensor]:
            ours_BD, theirs_ND = mentions.tensor(name), entities.tensor(name)
            theirs_BnD = theirs_ND.view(len(ours_BD), -1, theirs_ND.shape[1])
            return ours_BD[:, None].expand_as(theirs_BnD), theirs_BnD

        (our_image, image), (our_mean, mean), (has, their_has) = map(
            each, ("image", "patch_mean", "has")
        )
        scores = self.from_entity.of_pairs(image, our_image, our_mean)
        scores = scores + self.from_mention.of_pairs(our_image, image, mean)
        return scores / 2 * (has * their_has)[..., 0]

    def fine_bounds(self, mentions: EncodedUnit, entities: EncodedUnit) -> tuple[Tensor, Tensor]:
        exact = self.fine_scores(mentions, entities)
        return exact, exact


class TextInVisionUnit(ContextUnit):
    """S = c_m · c_e, c = LayerNorm(tanh(gate(t)) t + softmax(t · Vᵀ) V): texts in the light of their image.

    Source: MIMIC, cross-modal matching.
    """

    def __init__(self, text_dim: int, dim: int, *, learned_missing: bool) -> None:
        super().__init__()
        self.text_fc, self.image_fc = nn.Linear(text_dim, dim), TokenLinear(dim, dim)
        self.gate_fc = nn.Linear(dim, 1)
        self.norm = nn.LayerNorm(dim)
        self.missing = NeutralConstant(learned=learned_missing)

    def context(self, inputs: Stem) -> Tensor:
        text_BD = self.text_fc(inputs.text_coarse_BC)
        patches = _patches(inputs)
        context_BD = own_context(text_BD, patches.with_values(self.image_fc(patches.values_TC)))
        normed: Tensor = self.norm(self.gate_fc(text_BD).tanh() * text_BD + context_BD)
        return normed


class Mimic(SumOfUnits):
    """MIMIC's matcher with the units that `model.units` names; the score is a third of their sum.

    Raises:
        ValueError: if a unit needs images and `spec.widths` has none.
    Source: MIMIC (KDD 2023) and its release. Unless `mimic.variant` is `released`, padding takes no part, and
        pairs that lack an image get a learned constant from the units that need one.
    """

    NAME = "mimic"
    SECTION = MimicParams
    unit_weight = MEAN

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__(spec)
        assert isinstance(spec.own, MimicParams)
        self.as_released = spec.own.variant == "released"
        self.text_stem, self.image_stem = spec.stems()
        self.units = nn.ModuleDict({name: _build_unit(name, spec) for name in spec.model.units})

    def unit_inputs(self, features: SideFeatures) -> Stem:
        features = with_every_image(features) if self.as_released else features
        return Stem.of(features, self.text_stem, self.image_stem)


def _build_unit(name: str, spec: MatcherSpec) -> Unit:
    assert isinstance(spec.own, MimicParams)
    text_dim, dim, mended = spec.widths.text, spec.model.embed_dim, spec.own.variant == "mended"
    if name == "text":
        return NormedTextUnit(text_dim, dim)
    if name == "vision":
        return DualGatedVisionUnit(dim, learned_missing=mended)
    return TextInVisionUnit(text_dim, dim, learned_missing=mended)


def _image_columns(inputs: Stem, has_B1: Tensor) -> dict[str, Column]:
    assert inputs.image_coarse_BD is not None
    return {
        "image": inputs.image_coarse_BD,
        "patch_mean": _patches(inputs).mean(),
        "has": has_B1,
    }


def _patches(inputs: Stem) -> Packed:
    assert inputs.image_fine is not None
    return inputs.image_fine
