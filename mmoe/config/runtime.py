"""Section `runtime`: how the work is done, never what comes out of it; no stage of dvc.yaml tracks it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section


class RuntimeParams(Section):
    SECTION: ClassVar[str] = "runtime"

    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    engine: Literal["local", "ray"] = "local"
    workers: int = Field(2, ge=1)
    encode_batch_size: int = Field(64, ge=1, le=4096)
    shard_rows: int = Field(2048, ge=1, le=100_000)
    earlier_features_gb: float = Field(2, ge=0)
    checkpoint_every: int = Field(50, ge=1)

    @property
    def earlier_bytes(self) -> int:
        """`earlier_features_gb` in bytes."""
        return int(1e9 * self.earlier_features_gb)
