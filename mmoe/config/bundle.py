"""Section `bundle`: whether a run ends with a bundle that links mentions."""

from __future__ import annotations

from typing import ClassVar

from mmoe.config.section import Section


class BundleParams(Section):
    SECTION: ClassVar[str] = "bundle"

    enabled: bool = True
    licence: str | None = None
