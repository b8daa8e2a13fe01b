"""Section `data`: which raw format, how much of it, and what happens to mentions that don't fit."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section


class DataParams(Section):
    SECTION: ClassVar[str] = "data"

    format: Literal["auto", "own", "melbench", "mimic", "wikidiverse", "fissfuse"] = "auto"
    split: Literal["given", "entity"] = "given"
    nil: Literal["drop", "keep"] = "drop"
    max_mentions: int | None = Field(None, ge=1)
    leak_policy: Literal["keep", "drop"] = "keep"
    image_distance: int = Field(4, ge=0, le=16)
