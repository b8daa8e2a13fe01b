"""Section `moe`: experts and router (MMoE eq. 3)."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from mmoe.config.section import Section


class ExpertParams(Section):
    """What sections of matchers with experts share."""

    num_experts: int = Field(4, ge=1, le=64)
    top_k: int = Field(3, ge=1, le=64)

    @model_validator(mode="after")
    def _top_k_within_experts(self) -> Self:
        if self.top_k > self.num_experts:
            name = self.SECTION
            raise ValueError(
                f"{name}.top_k = {self.top_k}: must lie in [1, {name}.num_experts = {self.num_experts}]"
            )
        return self


class MoeParams(ExpertParams):
    SECTION: ClassVar[str] = "moe"

    expansion: int = Field(2, ge=1, le=16)
    num_layers: int = Field(1, ge=1, le=8)
    fusion_layers: int = Field(1, ge=0, le=4)
    renormalise: bool = False
