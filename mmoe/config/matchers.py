"""The sections of params.yaml that belong to one matcher each: the union that `model.name` chooses from."""

from __future__ import annotations

import difflib

from mmoe.config.dsmip import DsmipParams
from mmoe.config.m3el import M3elParams
from mmoe.config.mimic import MimicParams
from mmoe.config.mmoe_released import MmoeReleasedParams
from mmoe.config.moe import MoeParams
from mmoe.config.section import Section
from mmoe.errors import ConfigError

# One line a matcher, as in mmoe/model/registry.py.
MATCHER_SECTIONS: dict[str, type[Section]] = {
    "mmoe": MoeParams,
    "mmoe_released": MmoeReleasedParams,
    "m3el": M3elParams,
    "mimic": MimicParams,
    "dsmip": DsmipParams,
}


def matcher_section(name: str) -> type[Section]:
    """The section of the matcher that `model.name` names.

    Raises:
        ConfigError: if there is no such matcher; the message names those that exist.
    """
    if name not in MATCHER_SECTIONS:
        near = difflib.get_close_matches(name, MATCHER_SECTIONS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(
            f"params.yaml: model.name = {name!r}: no such matcher; {hint}known: "
            f"{', '.join(MATCHER_SECTIONS)}"
        )
    return MATCHER_SECTIONS[name]
