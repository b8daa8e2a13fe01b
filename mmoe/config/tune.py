"""Section `tune`: whether the encoder is trained together with the matcher before it encodes."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.section import Section

# As DSMIP trains its prompts, as LoRA is mostly trained, as the releases tune all of CLIP.
LEARNING_RATES = {"none": 0.0, "prompts": 5e-4, "lora": 5e-4, "full": 1e-5}


class TuneParams(Section):
    SECTION: ClassVar[str] = "tune"

    method: Literal["none", "prompts", "lora", "full"] = "none"
    learning_rate: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    batch_size: int = Field(128, ge=1, le=65536)
    max_epochs: int = Field(20, ge=0, le=1000)
    min_steps: int = Field(0, ge=0, le=1_000_000)
    rows_at_a_time: int = Field(32, ge=1, le=65536)
    prompt_length: int = Field(2, ge=0, le=64)
    prompt_depth: int = Field(9, ge=1, le=64)
    lora_rank: int = Field(8, ge=1, le=1024)
    lora_alpha: int = Field(16, ge=1, le=4096)

    @property
    def encoder_rate(self) -> float:
        """The encoder's learning rate."""
        return LEARNING_RATES[self.method] if self.learning_rate is None else self.learning_rate
