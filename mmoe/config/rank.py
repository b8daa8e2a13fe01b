"""Section `rank`: how one description is chosen among a mention's candidates."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmoe.config.section import Section


class RankParams(Section):
    SECTION: ClassVar[str] = "rank"

    backend: Literal["none", "first", "lexical", "given"]
