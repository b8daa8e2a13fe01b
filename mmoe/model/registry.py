"""Matchers by their value of `model.name`."""

from __future__ import annotations

from typing import get_args

import torch

from mmoe.config.load import ParamsFile
from mmoe.config.loss import SOME_HAVE
from mmoe.config.matchers import MATCHER_SECTIONS, matcher_section
from mmoe.config.model import ModelParams, Unit
from mmoe.errors import ConfigError
from mmoe.model.features import FeatureWidths
from mmoe.model.losses import LossTerm
from mmoe.model.matcher import Matcher, MatcherSpec
from mmoe.model.matchers.dsmip import Dsmip
from mmoe.model.matchers.m3el import M3el
from mmoe.model.matchers.mimic import Mimic
from mmoe.model.matchers.mmoe import MMoE
from mmoe.model.matchers.mmoe_released import MmoeReleased

# One line a matcher, as in mmoe/config/matchers.py.
MATCHERS: dict[str, type[Matcher]] = {
    "mmoe": MMoE,
    "mmoe_released": MmoeReleased,
    "m3el": M3el,
    "mimic": Mimic,
    "dsmip": Dsmip,
}


def register(matcher: type[Matcher]) -> None:
    """Makes a matcher known in this process, as a line in both tables does for all."""
    MATCHERS[matcher.NAME] = matcher
    MATCHER_SECTIONS[matcher.NAME] = matcher.SECTION


def matcher_class(name: str) -> type[Matcher]:
    """The matcher of that name.

    Raises:
        ConfigError: if there is none; the message names those that exist.
    """
    matcher_section(name)
    return MATCHERS[name]


def spec_from_params(file: ParamsFile, widths: FeatureWidths) -> MatcherSpec:
    """What params.yaml and the cached features ask for.

    Raises:
        ConfigError: see `matcher_class`, and if a section is not legal.
    """
    model = file.section(ModelParams)
    return MatcherSpec(widths, model, file.section(matcher_section(model.name)))


def build_matcher(spec: MatcherSpec, seed: int | None = None) -> Matcher:
    """An untrained matcher.

    Args:
        seed: of the weights; None leaves the generator as it is.
    Raises:
        ConfigError: if the matcher can't be built on these features.
    """
    if seed is not None:
        torch.manual_seed(seed)
    try:
        return matcher_class(spec.model.name)(spec)
    except ValueError as error:
        raise ConfigError(f"params.yaml: {error}") from None


def chosen_loss_terms(matcher: Matcher, names: tuple[str, ...]) -> dict[str, LossTerm]:
    """The terms of `loss.terms` that the matcher has; those that only others have are left out.

    Raises:
        ConfigError: if a name is neither a term of the matcher nor of any other, or if none is left, so that
            nothing would be trained.
    """
    known = matcher.loss_terms()
    elsewhere = (*get_args(Unit), *SOME_HAVE)
    odd = [name for name in names if name not in known and name not in elsewhere]
    if odd:
        raise ConfigError(
            f"params.yaml: loss.terms: {odd[0]!r} is no term of model.name = {matcher.NAME}; "
            f"it has {', '.join(known)}"
        )
    chosen = {name: known[name] for name in names if name in known}
    if not chosen:
        raise ConfigError(
            f"params.yaml: loss.terms = {list(names)}: none of them is a term of model.name = "
            f"{matcher.NAME}, so nothing would be trained; it has {', '.join(known)}"
        )
    return chosen
