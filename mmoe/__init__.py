"""Multimodal entity linking: which entity of a knowledge base does a mention in text and image mean?

What stands in `__all__` is the public surface; it is loaded when it is first asked for, so that
`import mmoe` takes no time.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Before torch is loaded: its threads wait for each other by sleeping. By default they spin, and where two
# processes share the cores each then takes up to ten times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from mmoe.errors import MmoeError
    from mmoe.evaluation.metrics import system_metrics as evaluate
    from mmoe.evaluation.ranks import Ranks
    from mmoe.evaluation.reading import read_metrics, read_ranks
    from mmoe.linker import Link, Linker, LinkResult, Query
    from mmoe.linking.checkpoint import load_matcher
    from mmoe.records import Entity, Mention

__all__ = [
    "Entity",
    "Link",
    "LinkResult",
    "Linker",
    "Mention",
    "MmoeError",
    "Query",
    "Ranks",
    "evaluate",
    "load_matcher",
    "read_metrics",
    "read_ranks",
]

_HOME = {
    "Entity": "mmoe.records",
    "Link": "mmoe.linker",
    "LinkResult": "mmoe.linker",
    "Linker": "mmoe.linker",
    "Mention": "mmoe.records",
    "MmoeError": "mmoe.errors",
    "Query": "mmoe.linker",
    "Ranks": "mmoe.evaluation.ranks",
    "evaluate": "mmoe.evaluation.metrics",
    "load_matcher": "mmoe.linking.checkpoint",
    "read_metrics": "mmoe.evaluation.reading",
    "read_ranks": "mmoe.evaluation.reading",
}
_OTHER_NAME = {"evaluate": "system_metrics"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mmoe' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), _OTHER_NAME.get(name, name))


def __dir__() -> list[str]:
    return __all__
