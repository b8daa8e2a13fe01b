"""The ways to choose a description: a line for each, by the name that params.yaml gives it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

# Where a backend is made: module and class. They are imported when one is used, so that naming them costs
# nothing. All but `openai` work without a server.
LOCAL_BACKENDS = {
    "none": "mmoe.descriptions.plain:NoDescription",
    "first": "mmoe.descriptions.plain:FirstCandidate",
    "lexical": "mmoe.descriptions.lexical:Lexical",
    "embedding": "mmoe.descriptions.embedding:EmbeddingRanker",
    "given": "mmoe.descriptions.plain:GivenDescription",
    "random": "mmoe.descriptions.plain:RandomCandidate",
    "oracle_candidate": "mmoe.descriptions.plain:OracleCandidate",
    "oracle_description": "mmoe.descriptions.plain:OracleDescription",
}
LANGUAGE_MODEL = "openai"


def _is_local(name: str) -> str:
    return _one_of(name, tuple(LOCAL_BACKENDS))


def _is_backend(name: str) -> str:
    return _one_of(name, (*LOCAL_BACKENDS, LANGUAGE_MODEL))


def _one_of(name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise PydanticCustomError(
            "unknown_backend", "should be one of {known}", {"known": ", ".join(known)}
        )
    return name


LocalBackend = Annotated[str, AfterValidator(_is_local)]
Backend = Annotated[str, AfterValidator(_is_backend)]
