"""The ways to choose a description that need no server."""

from __future__ import annotations

from typing import Literal

LocalBackend = Literal[
    "none",
    "first",
    "lexical",
    "embedding",
    "given",
    "random",
    "oracle_candidate",
    "oracle_description",
]
