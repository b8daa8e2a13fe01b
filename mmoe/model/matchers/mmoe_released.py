"""MMoE as its published code computes it, beside `mmoe`, which follows the paper."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmoe.config.mmoe_released import MmoeReleasedParams
from mmoe.errors import ConfigError
from mmoe.model.attention import own_context
from mmoe.model.encoded import EncodedUnit
from mmoe.model.features import SideFeatures, Stem
from mmoe.model.matcher import MatcherSpec, SumOfUnits, Unit
from mmoe.model.neutral import with_every_image
from mmoe.model.normed_unit import NormedImageUnit, NormedTextUnit
from mmoe.model.packed import Packed
from mmoe.model.released_mixture import ReleasedMixture, joined, parted
from mmoe.model.token_linear import TokenLinear

MEAN = 1 / 3  # of the three units' scores, whichever of them are there


class ReleasedCrossUnit(Unit):
    """The mean of both directions' inner products, text in image and image in text.

    [text; patches] and [image; tokens] go through one mixture, each routed by the other. With f a coarse
    feature before the mixture and c its attention context behind it, a side's vector is
    LayerNorm(tanh(gate(g)) f + c), where g is f on the mentions' side and c on the entities'.

    Raises:
        ConfigError: from encoding with a mixture, unless there are as many text tokens as patches.
    Source: MMoE's release.
    """

    def __init__(self, text_dim: int, dim: int, mixture: ReleasedMixture | None) -> None:
        super().__init__()
        self.text_fc, self.image_fc = TokenLinear(text_dim, dim), TokenLinear(dim, dim)
        self.gate_fc = nn.Linear(dim, 1)
        self.norm = nn.LayerNorm(dim)
        self.mixture = mixture

    def encode_mentions(self, inputs: Stem) -> EncodedUnit:
        return EncodedUnit(self._vectors(inputs, lambda feature, _: feature))

    def encode_entities(self, inputs: Stem) -> EncodedUnit:
        return EncodedUnit(self._vectors(inputs, lambda _, context: context) / 2)

    def _vectors(self, stem: Stem, gated_by: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Both directions' vectors beside each other, [B, 2 D]."""
        assert stem.image_coarse_BD is not None
        assert stem.image_fine is not None
        text_BD, image_BD = self.text_fc(stem.text_coarse_BC), self.image_fc(stem.image_coarse_BD)
        tokens = stem.text_fine.with_values(self.text_fc(stem.text_fine.values_TC))
        patches = stem.image_fine.with_values(self.image_fc(stem.image_fine.values_TC))
        vectors = []
        for before_BD, (after_BD, fine) in zip(
            (text_BD, image_BD), self._mixed(text_BD, patches, image_BD, tokens), strict=True
        ):
            context_BD = own_context(after_BD, fine)
            gate_B1 = self.gate_fc(gated_by(before_BD, context_BD)).tanh()
            vectors.append(self.norm(gate_B1 * before_BD + context_BD))
        return torch.cat(vectors, dim=-1)

    def _mixed(
        self, text_BD: Tensor, patches: Packed, image_BD: Tensor, tokens: Packed
    ) -> list[tuple[Tensor, Packed]]:
        if self.mixture is None:
            return [(text_BD, patches), (image_BD, tokens)]
        text_first, image_first = joined(text_BD, patches), joined(image_BD, tokens)
        if text_first.shape[1] != image_first.shape[1]:
            raise ConfigError(
                f"params.yaml: encode.max_text_length = {image_first.shape[1] - 1}: the cross unit of "
                "mmoe_released routes texts by patches and needs as many tokens as patch states: "
                f"{text_first.shape[1] - 1}"
            )
        return [
            parted(self.mixture(text_first, image_first), patches),
            parted(self.mixture(image_first, text_first), tokens),
        ]


class MmoeReleased(SumOfUnits):
    """MMoE's matcher as released, with the units that `model.units` names; a third of their sum.

    `mmoe_released.smoe: false` is the paper's "w/o SMoE": linear layers as MIMIC has them. With experts a
    score depends on the batch; `encoding_batch` fixes it.

    Raises:
        ValueError: if a unit needs images and `spec.widths` has none.
    Source: MMoE's release.
    """

    NAME = "mmoe_released"
    SECTION = MmoeReleasedParams
    unit_weight = MEAN

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__(spec)
        assert isinstance(spec.own, MmoeReleasedParams)
        self.encoding_batch = spec.own.evaluation_batch if spec.own.smoe else None
        self.text_stem, self.image_stem = spec.stems()
        self.units = nn.ModuleDict({name: _build_unit(name, spec) for name in spec.model.units})

    def unit_inputs(self, features: SideFeatures) -> Stem:
        return Stem.of(with_every_image(features), self.text_stem, self.image_stem)


def _build_unit(name: str, spec: MatcherSpec) -> Unit:
    own, dim = spec.own, spec.model.embed_dim
    assert isinstance(own, MmoeReleasedParams)
    width = spec.widths.text if name == "text" else dim
    mixture = ReleasedMixture(width, dim, own.num_experts, own.top_k) if own.smoe else None
    if name == "text":
        return NormedTextUnit(width, dim, mixture)
    if name == "vision":
        return NormedImageUnit(width, dim, mixture, learned_missing=False)
    return ReleasedCrossUnit(spec.widths.text, dim, mixture)
