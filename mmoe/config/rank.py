"""Section `rank`: how one description is chosen among a mention's candidates."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mmoe.config.backends import Backend
from mmoe.config.section import Section

# Servers tell the log-probabilities of the 20 likeliest tokens.
MOST_LABELLED = 20


class RankParams(Section):
    """All that decides which description a mention gets; `llm` holds what decides only cost and pace."""

    SECTION: ClassVar[str] = "rank"

    backend: Backend = "lexical"
    encoder: str | None = Field(default=None, min_length=1)
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    server: Literal["openai", "vllm", "llama.cpp", "ollama"] = "openai"
    model: str = Field(default="gpt-4o-mini", min_length=1)
    prompt: str = Field(default="zero_shot", min_length=1)
    output: Literal["schema", "json_object", "plain", "logprobs"] = "schema"
    order: Literal["shuffled", "retrieval"] = "shuffled"
    seed: int = Field(default=43, ge=0, lt=2**31)
    # A strict schema may list 1000 numbers, one of which means none of the candidates.
    shown_candidates: int = Field(default=20, ge=2, le=999)
    with_image: bool = False

    @model_validator(mode="after")
    def _labels_are_single_tokens(self) -> RankParams:
        if self.output == "logprobs" and self.shown_candidates > MOST_LABELLED:
            raise ValueError(
                f"rank.shown_candidates = {self.shown_candidates}: must be at most {MOST_LABELLED} with "
                "rank.output = logprobs"
            )
        return self
