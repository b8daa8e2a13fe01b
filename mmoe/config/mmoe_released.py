"""Section `mmoe_released`: MMoE as its published code computes it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from mmoe.config.section import Section


class MmoeReleasedParams(Section):
    SECTION: ClassVar[str] = "mmoe_released"

    smoe: bool = True
    num_experts: int = Field(4, ge=1, le=64)
    top_k: int = Field(3, ge=1, le=64)
    evaluation_batch: int = Field(512, ge=1, le=65536)

    @property
    def needs_padding(self) -> bool:
        return True

    @model_validator(mode="after")
    def _top_k_within_experts(self) -> MmoeReleasedParams:
        if self.top_k > self.num_experts:
            raise ValueError(
                f"mmoe_released.top_k = {self.top_k}: must lie in "
                f"[1, mmoe_released.num_experts = {self.num_experts}]"
            )
        return self
