"""Section `mimic`: beside it MIMIC reads units, embed_dim and dropout of `model`."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmoe.config.section import Section


class MimicParams(Section):
    SECTION: ClassVar[str] = "mimic"

    variant: Literal["mended", "released"] = "mended"

    @property
    def needs_padding(self) -> bool:
        return self.variant == "released"
