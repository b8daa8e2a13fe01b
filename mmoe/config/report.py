"""Section `report`: what the HTML page shows."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mmoe.config.section import Section


class ReportParams(Section):
    SECTION: ClassVar[str] = "report"

    num_examples: int = Field(default=20, ge=0, le=1000)
