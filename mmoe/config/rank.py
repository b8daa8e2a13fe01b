"""Section `rank`: how one description is chosen among a mention's candidates."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmoe.config.backends import Backend
from mmoe.config.section import Section


class RankParams(Section):
    """All that decides which description a mention gets; `llm` holds what decides only cost and pace."""

    SECTION: ClassVar[str] = "rank"

    backend: Backend = "lexical"
    encoder: str | None = Field(default=None, min_length=1)
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    server: Literal["openai", "vllm", "llama.cpp", "ollama"] = "openai"
    model: str = Field(default="gpt-4o-mini", min_length=1)
    prompt: str = Field(default="zero_shot", min_length=1)
    output: Literal["schema", "json_object", "plain"] = "schema"
    order: Literal["shuffled", "retrieval"] = "shuffled"
    seed: int = Field(default=43, ge=0, lt=2**31)
    # A strict schema may list 1000 numbers, one of which means none of the candidates.
    shown_candidates: int = Field(default=20, ge=2, le=999)
    with_image: bool = False
