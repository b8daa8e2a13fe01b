"""Section `loss`: which terms are added up (MMoE eq. 8)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from mmoe.config.section import Section, check_once

SOME_HAVE = ("contrastive", "multimodal")  # terms beside the units' that only some matchers have


class LossParams(Section):
    SECTION: ClassVar[str] = "loss"

    terms: tuple[str, ...] = Field(
        default=("overall", "text", "vision", "cross", *SOME_HAVE), min_length=1, strict=False
    )

    @model_validator(mode="after")
    def _terms_differ(self) -> LossParams:
        check_once("loss.terms", self.terms, "term")
        return self
