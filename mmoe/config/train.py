"""Section `train`: optimiser, batches, negatives, early stopping."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section


class TrainParams(Section):
    SECTION: ClassVar[str] = "train"

    from_: Literal["scratch", "tune"] = Field("scratch", alias="from")
    seed: int = Field(43, ge=0, lt=2**31)
    batch_size: int = Field(128, ge=1, le=65536)
    group_size: int = Field(32, ge=1, le=65536)
    accumulate: int = Field(1, ge=1, le=65536)
    max_epochs: int = Field(2, ge=0, le=1000)
    min_steps: int = Field(30, ge=0, le=1_000_000)
    learning_rate: float = Field(2e-3, gt=0, le=1, allow_inf_nan=False)
    schedule: Literal["constant", "linear"] = "linear"
    weight_decay: float = Field(1e-4, ge=0, le=1, allow_inf_nan=False)
    adam_eps: float = Field(1e-6, gt=0, le=1e-2, allow_inf_nan=False)
    max_grad_norm: float = Field(1.0, gt=0, allow_inf_nan=False)
    confusable: int = Field(8, ge=1, le=1000)
    mined_negatives: int = Field(1, ge=0, le=1000)
    mining_depth: int = Field(24, ge=0, le=1000)
    patience: int = Field(3, ge=1, le=1000)
    held_out: float = Field(0.1, ge=0, le=0.5, allow_inf_nan=False)
    fraction: float = Field(1.0, gt=0, le=1, allow_inf_nan=False)
    precision: Literal["auto", "bfloat16", "float32"] = "auto"

    @model_validator(mode="after")
    def _mining_reaches(self) -> TrainParams:
        if self.mined_negatives > self.mining_depth:
            raise ValueError(
                f"train.mined_negatives = {self.mined_negatives}: must be at most "
                f"train.mining_depth = {self.mining_depth}, from which they are drawn"
            )
        return self
