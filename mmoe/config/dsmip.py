"""Section `dsmip`: its experts and the gate that chooses one for each pair; beside it, `model.embed_dim`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section, check_once

Expert = Literal["text", "vision", "multimodal"]


class DsmipParams(Section):
    SECTION: ClassVar[str] = "dsmip"

    experts: tuple[Expert, ...] = Field(
        ("text", "vision", "multimodal"), min_length=1, strict=False
    )
    gate_dim: int = Field(512, ge=1, le=8192)
    gate_dropout: float = Field(0.1, ge=0, lt=1, allow_inf_nan=False)
    temperature: float = Field(0.1, gt=0, le=10, allow_inf_nan=False)
    expert_share: float = Field(0.5, ge=0, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _experts_differ(self) -> DsmipParams:
        check_once("dsmip.experts", self.experts, "expert")
        return self
