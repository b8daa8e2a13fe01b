"""Section `train`: optimiser, batches, negatives, early stopping."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section


class TrainParams(Section):
    SECTION: ClassVar[str] = "train"

    seed: int = Field(ge=0, lt=2**31)
    batch_size: int = Field(ge=1, le=65536)
    max_epochs: int = Field(ge=0, le=1000)
    min_steps: int = Field(ge=0, le=1_000_000)
    learning_rate: float = Field(gt=0, le=1, allow_inf_nan=False)
    schedule: Literal["constant", "linear"]
    weight_decay: float = Field(ge=0, le=1, allow_inf_nan=False)
    adam_eps: float = Field(gt=0, le=1e-2, allow_inf_nan=False)
    max_grad_norm: float = Field(gt=0, allow_inf_nan=False)
    mined_negatives: int = Field(ge=0, le=1000)
    mining_depth: int = Field(ge=0, le=1000)
    patience: int = Field(ge=1, le=1000)
    fraction: float = Field(gt=0, le=1, allow_inf_nan=False)
    checkpoint_every: int = Field(ge=1)
    precision: Literal["auto", "bfloat16", "float32"]
    device: str = Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")

    @model_validator(mode="after")
    def _mining_reaches(self) -> TrainParams:
        if self.mined_negatives > self.mining_depth:
            raise ValueError(
                f"train.mined_negatives = {self.mined_negatives}: must be at most "
                f"train.mining_depth = {self.mining_depth}, from which they are drawn"
            )
        return self
