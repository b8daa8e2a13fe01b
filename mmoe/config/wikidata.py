"""Section `wikidata`: manners towards Wikidata's servers; no stage of dvc.yaml tracks it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mmoe.config.section import Section


class WikidataParams(Section):
    SECTION: ClassVar[str] = "wikidata"

    requests_per_minute: int = Field(180, ge=1, le=100_000)
    max_lag_wait: float = Field(600, ge=0)
    cache_days: float = Field(90, gt=0)
