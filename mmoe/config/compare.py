"""Section `compare`: which ways to choose a description are measured beside each other."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from mmoe.config.backends import LocalBackend
from mmoe.config.section import Section


class CompareParams(Section):
    SECTION: ClassVar[str] = "compare"

    backends: tuple[LocalBackend, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _backends_differ(self) -> CompareParams:
        if len(set(self.backends)) != len(self.backends):
            raise ValueError(
                f"compare.backends = {list(self.backends)}: each backend may stand only once"
            )
        return self
