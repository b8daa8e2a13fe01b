"""Section `rank`: how one description is chosen among a mention's candidates."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.backends import LocalBackend
from mmoe.config.section import Section


class RankParams(Section):
    SECTION: ClassVar[str] = "rank"

    backend: Literal[LocalBackend, "openai"]
    encoder: str | None = Field(min_length=1)
    base_url: str | None = Field(pattern=r"^https?://")
    server: Literal["openai", "vllm", "llama.cpp", "ollama"]
    model: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    output: Literal["schema", "json_object", "plain", "logprobs"]
    order: Literal["shuffled", "retrieval"]
    seed: int = Field(ge=0, lt=2**31)
    shown_candidates: int = Field(ge=2, le=999)
    with_image: bool
    mode: Literal["direct", "batch"]
    requests_per_minute: float | None = Field(gt=0)
    price_prompt: float | None = Field(ge=0, allow_inf_nan=False)
    price_completion: float | None = Field(ge=0, allow_inf_nan=False)
    max_cost_usd: float | None = Field(ge=0, allow_inf_nan=False)
    max_calls: int | None = Field(ge=0)

    @model_validator(mode="after")
    def _prices_are_whole(self) -> RankParams:
        if (self.price_prompt is None) != (self.price_completion is None):
            raise ValueError("rank.price_prompt and rank.price_completion: set both or neither")
        if self.max_cost_usd is not None and self.price_prompt is None:
            raise ValueError(
                f"rank.max_cost_usd = {self.max_cost_usd}: can't be held without rank.price_prompt and "
                "rank.price_completion"
            )
        return self
