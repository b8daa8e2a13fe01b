"""Section `description_ablation`: which ways to choose a description are measured beside each other."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from mmoe.config.backends import LocalBackend
from mmoe.config.section import Section, check_once


class DescriptionAblationParams(Section):
    SECTION: ClassVar[str] = "description_ablation"

    enabled: bool = True
    backends: tuple[LocalBackend, ...] = Field(
        (
            "none",
            "first",
            "random",
            "lexical",
            "embedding",
            "oracle_candidate",
            "oracle_description",
        ),
        strict=False,
    )

    @model_validator(mode="after")
    def _backends_differ(self) -> DescriptionAblationParams:
        check_once("description_ablation.backends", self.backends, "backend")
        return self
