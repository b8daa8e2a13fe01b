"""Section `encode`: the frozen encoder and the text layout."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section


class EncodeParams(Section):
    SECTION: ClassVar[str] = "encode"

    model: str = Field("data/raw/sample/clip", min_length=1)
    max_text_length: int = Field(50, ge=8, le=512)
    description_budget: int = Field(16, ge=0, le=256)
    precision: Literal["float32", "bfloat16"] = "float32"
    keep_padding: bool = False
    keep_base: bool = False
    dtype: Literal["float16", "int8"] = "float16"
    max_pixels: int = Field(100_000_000, ge=1)

    @property
    def feature_config(self) -> dict[str, object]:
        """What a feature store must say of itself to have been made with these parameters."""
        padding = {"keep_padding": True} if self.keep_padding else {}
        base = {"keep_base": True} if self.keep_base else {}
        dtype = {"dtype": self.dtype} if self.dtype != "float16" else {}
        return (
            padding
            | base
            | dtype
            | {
                "encoder": self.model,
                "max_text_length": self.max_text_length,
                "description_budget": self.description_budget,
                "precision": self.precision,
            }
        )

    @property
    def for_ranking(self) -> EncodeParams:
        """The same encoder for texts that hold no description."""
        return EncodeParams(
            model=self.model,
            max_text_length=self.max_text_length,
            precision=self.precision,
            description_budget=0,
        )

    @model_validator(mode="after")
    def _description_leaves_room(self) -> EncodeParams:
        if self.description_budget > self.max_text_length // 2:
            raise ValueError(
                f"encode.description_budget = {self.description_budget}: must be at most half of "
                f"encode.max_text_length = {self.max_text_length}"
            )
        return self
