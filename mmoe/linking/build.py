"""A matcher of the shape that the parameters and the feature store ask for, with seeded weights."""

from __future__ import annotations

import torch

from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.errors import ConfigError
from mmoe.model.features import FeatureWidths
from mmoe.model.matcher import Matcher, MatcherSpec


def build_matcher(
    widths: FeatureWidths, model: ModelParams, moe: MoeParams, seed: int, device: torch.device
) -> Matcher:
    """An untrained matcher.

    Raises:
        ConfigError: if model.units needs images that the feature store lacks.
    """
    torch.manual_seed(seed)
    try:
        return Matcher(MatcherSpec(widths, model, moe)).to(device)
    except ValueError as error:
        raise ConfigError(f"params.yaml: {error}") from None
