"""Section `evaluate`: the ranking engine and what is reported of the ranks."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section


class EvaluateParams(Section):
    SECTION: ClassVar[str] = "evaluate"

    engine: Literal["bounds", "brute"]
    hits_at: tuple[int, ...] = Field(min_length=1, strict=False)
    top_n: int = Field(ge=1, le=1000)
    bootstrap_samples: int = Field(ge=100, le=100_000)
    untrained: bool
