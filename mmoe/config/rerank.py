"""Section `rerank`: the second look at each mention's best entities."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mmoe.config.section import Section


class RerankParams(Section):
    SECTION: ClassVar[str] = "rerank"

    depth: int = Field(64, ge=0, le=1000)
    use_matcher: bool = True
    use_context: bool = True
    use_candidates: bool = True
