"""Section `data`: which raw format, how much of it, and what happens to mentions that don't fit."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section


class DataParams(Section):
    SECTION: ClassVar[str] = "data"

    format: Literal["auto", "own", "melbench", "mimic", "wikidiverse", "fissfuse"]
    split: Literal["given", "entity"]
    nil: Literal["drop", "keep"]
    max_mentions: int | None = Field(ge=1)
    leak_policy: Literal["keep", "drop"]
    image_distance: int = Field(ge=0, le=16)
