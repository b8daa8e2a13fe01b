"""Section `m3el`: M3EL's cross-modal matching and its contrastive loss."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section


class M3elParams(Section):
    SECTION: ClassVar[str] = "m3el"

    variant: Literal["mended", "released"] = "mended"
    directions: Literal["one_way", "both_ways"] = "one_way"
    temperature: float = Field(0.03, gt=0, le=10, allow_inf_nan=False)
    own_side: float = Field(0.8, ge=0, le=10, allow_inf_nan=False)

    @property
    def needs_padding(self) -> bool:
        return self.variant == "released"
