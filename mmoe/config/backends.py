"""The ways to choose a description: a line for each, by the name that params.yaml gives it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

# Where a backend is made: module and function. They are imported when one is used, so that naming them costs
# nothing. All but `openai` work without a server.
LOCAL_BACKENDS = {
    "none": "mmoe.descriptions.plain:none",
    "first": "mmoe.descriptions.plain:first",
    "lexical": "mmoe.descriptions.lexical:rank",
    "embedding": "mmoe.descriptions.embedding:rank",
    "given": "mmoe.descriptions.plain:given",
    "random": "mmoe.descriptions.plain:random",
    "oracle_candidate": "mmoe.descriptions.plain:oracle_candidate",
    "oracle_description": "mmoe.descriptions.plain:oracle_description",
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
