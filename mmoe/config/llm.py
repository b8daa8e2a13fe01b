"""Section `llm`: how fast and for how much money a language model is asked; it decides no result."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.section import Section


class LlmParams(Section):
    """Limits and prices of `rank.backend: openai`; no stage of dvc.yaml depends on them."""

    SECTION: ClassVar[str] = "llm"

    mode: Literal["direct", "batch"] = "direct"
    requests_per_minute: float | None = Field(default=None, gt=0)
    price_prompt: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    price_completion: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_cost_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_calls: int | None = Field(default=None, ge=0)

    @property
    def has_prices(self) -> bool:
        return self.price_prompt is not None

    def usd(self, prompt_tokens: float, completion_tokens: float) -> float:
        """US dollars for tokens of prompts and of answers; 0 without prices."""
        prompt = prompt_tokens * (self.price_prompt or 0.0)
        return (prompt + completion_tokens * (self.price_completion or 0.0)) / 1_000_000

    @model_validator(mode="after")
    def _prices_are_whole(self) -> LlmParams:
        if (self.price_prompt is None) != (self.price_completion is None):
            raise ValueError("llm.price_prompt and llm.price_completion: set both or neither")
        if self.max_cost_usd is not None and not self.has_prices:
            raise ValueError(
                f"llm.max_cost_usd = {self.max_cost_usd}: needs llm.price_prompt and llm.price_completion, "
                "the prices of the model"
            )
        return self
