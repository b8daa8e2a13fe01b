"""Section `retrieve`: where a mention's Wikidata candidates come from."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section


class RetrieveParams(Section):
    SECTION: ClassVar[str] = "retrieve"

    source: Literal["index", "kb", "none"]
    language: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    max_candidates: int = Field(ge=1, le=1000)
