"""Section `model`: which matcher, which of its units, how wide."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section

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
        if len(set(self.units)) != len(self.units):
            raise ValueError(f"model.units = {list(self.units)}: each unit may stand only once")
        return self
