"""Section `data`: which raw format, how much of it, and what happens to mentions without a gold entity."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section


class DataParams(Section):
    SECTION: ClassVar[str] = "data"

    format: Literal["auto", "own", "melbench"]
    nil: Literal["drop", "keep"]
    max_mentions: int | None = Field(ge=1)
