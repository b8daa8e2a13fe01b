"""Section `evaluate`: the ranking engine and what is reported of the ranks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section


class EvaluateParams(Section):
    SECTION: ClassVar[str] = "evaluate"

    engine: Literal["bounds", "brute"] = "bounds"
    hits_at: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 3, 5, 10), min_length=1, strict=False
    )
    top_n: int = Field(10, ge=1, le=1000)
    bootstrap_samples: int = Field(2000, ge=100, le=100_000)
    untrained: bool = True

    @model_validator(mode="after")
    def _hits_at_1_among_them(self) -> EvaluateParams:
        if len(set(self.hits_at)) != len(self.hits_at) or 1 not in self.hits_at:
            raise ValueError(
                f"evaluate.hits_at = {list(self.hits_at)}: each n may stand only once, and 1, which "
                "the report shows, must be among them"
            )
        return self
