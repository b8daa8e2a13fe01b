"""Section `mmoe_released`: MMoE as its published code computes it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mmoe.config.moe import ExpertParams


class MmoeReleasedParams(ExpertParams):
    SECTION: ClassVar[str] = "mmoe_released"

    smoe: bool = True
    evaluation_batch: int = Field(512, ge=1, le=65536)

    @property
    def needs_padding(self) -> bool:
        return True
