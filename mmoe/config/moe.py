"""Section `moe`: experts and router (MMoE eq. 3)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section


class MoeParams(Section):
    SECTION: ClassVar[str] = "moe"

    num_experts: int = Field(4, ge=1, le=64)
    top_k: int = Field(3, ge=1, le=64)
    router: Literal["topk", "released"] = "topk"
    expansion: int = Field(4, ge=1, le=16)
    num_layers: int = Field(1, ge=1, le=8)
    fusion_layers: int = Field(1, ge=0, le=4)
    renormalise: bool = False

    @model_validator(mode="after")
    def _top_k_within_experts(self) -> MoeParams:
        if self.top_k > self.num_experts:
            raise ValueError(
                f"moe.top_k = {self.top_k}: must lie in [1, moe.num_experts = {self.num_experts}]"
            )
        return self
