"""Section `retrieve`: where a mention's Wikidata candidates come from."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section

Language = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class RetrieveParams(Section):
    SECTION: ClassVar[str] = "retrieve"

    source: Literal["index", "api", "kb", "none"]
    index: str | None = Field(min_length=1)
    languages: list[Language] = Field(min_length=1)
    match: Literal["exact", "tokens"]
    strip_suffix: bool
    max_candidates: int = Field(ge=1, le=1000)
    api_url: str = Field(pattern=r"^https?://")
    requests_per_minute: int = Field(ge=1, le=100_000)
    max_lag_wait: float = Field(ge=0)
    max_hits: int = Field(ge=0, le=10_000)
    cache_days: float = Field(gt=0)
