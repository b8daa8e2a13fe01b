"""Section `mimic`: MIMIC has no knobs beside those of `model`."""

from __future__ import annotations

from typing import ClassVar

from mmoe.config.section import Section


class MimicParams(Section):
    SECTION: ClassVar[str] = "mimic"
