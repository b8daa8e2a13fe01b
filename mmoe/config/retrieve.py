"""Section `retrieve`: where a mention's Wikidata candidates come from."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section

Language = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class RetrieveParams(Section):
    SECTION: ClassVar[str] = "retrieve"

    source: Literal["index", "api", "kb", "none"] = "index"
    index: str | None = Field(default=None, min_length=1)
    languages: list[Language] = Field(default=["en"], min_length=1)
    match: Literal["exact", "tokens"] = "tokens"
    strip_suffix: bool = False
    max_candidates: int = Field(default=50, ge=1, le=1000)
    api_url: str = Field(default="https://www.wikidata.org/w/api.php", pattern=r"^https?://")
    max_hits: int = Field(default=10_000, ge=0, le=10_000)
