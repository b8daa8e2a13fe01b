"""Section `wikidata`: how fast and how patiently Wikidata is asked; it decides no result."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mmoe.config.section import Section


class WikidataParams(Section):
    """Limits that the API client keeps.

    Attributes:
        requests_per_minute: the pace is even, without bursts.
        max_lag_wait: seconds that a run waits in all while the servers lag behind.
        cache_days: for how long an answer is not asked for again.
    """

    SECTION: ClassVar[str] = "wikidata"

    requests_per_minute: int = Field(default=180, ge=1, le=100_000)
    max_lag_wait: float = Field(default=600, ge=0)
    cache_days: float = Field(default=90, gt=0)
