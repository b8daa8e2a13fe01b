"""MMoE: text, vision and cross units on mixtures of experts (KDD 2025, §3.3-3.6)."""

from __future__ import annotations

from torch import nn

from mmoe.config.moe import MoeParams
from mmoe.model.experts import SparseMixture
from mmoe.model.features import SideFeatures, Stem
from mmoe.model.matcher import MatcherSpec, SumOfUnits, Unit
from mmoe.model.units import CrossUnit, TextUnit, VisionUnit


class MMoE(SumOfUnits):
    """The paper's matcher with the units that `model.units` names.

    Raises:
        ValueError: if a unit needs images and `spec.widths` has none.
    Source: MMoE §3.4-3.6. Differs from the release: the sum and not the mean of the units' scores; see
        TopKRouter, IntraUnit, VisionUnit and CrossContext for what differs inside the units.
    """

    NAME = "mmoe"
    SECTION = MoeParams

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__(spec)
        self.text_stem, self.image_stem = spec.stems()
        self.units = nn.ModuleDict({name: _build_unit(name, spec) for name in spec.model.units})

    def unit_inputs(self, features: SideFeatures) -> Stem:
        return Stem.of(features, self.text_stem, self.image_stem)

    def take_expert_load(self) -> dict[str, list[float]]:
        loads: dict[str, list[float]] = {}
        for name in self.units:
            layers = [
                layer for layer in self.unit(name).modules() if isinstance(layer, SparseMixture)
            ]
            for depth, layer in enumerate(layers):
                total = int(layer.load_K.sum())
                label = name if len(layers) == 1 else f"{name}-{depth + 1}"
                if total:
                    loads[label] = (layer.load_K / total).tolist()
                layer.load_K.zero_()
        return loads


def _build_unit(name: str, spec: MatcherSpec) -> Unit:
    model, widths, moe = spec.model, spec.widths, spec.own
    assert isinstance(moe, MoeParams)
    if name == "text":
        return TextUnit(widths.text, model.embed_dim, moe, residual=model.residual)
    if name == "vision":
        return VisionUnit(model.embed_dim, model.embed_dim, moe, residual=model.residual)
    residual = model.residual and widths.joint
    return CrossUnit(widths.text, model.embed_dim, moe, residual=residual)
