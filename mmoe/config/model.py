"""Section `model`: which matcher, which of its units, how wide."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section, check_once

Unit = Literal["text", "vision", "cross"]


class ModelParams(Section):
    SECTION: ClassVar[str] = "model"

    name: str = "mmoe"
    units: tuple[Unit, ...] = Field(("text", "vision", "cross"), min_length=1, strict=False)
    embed_dim: int = Field(96, ge=4, le=4096)
    residual: bool = True
    dropout: float = Field(0.0, ge=0, lt=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _units_differ(self) -> ModelParams:
        check_once("model.units", self.units, "unit")
        return self
