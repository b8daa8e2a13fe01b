"""What our modules import, read with ast: for the tests of layering and of dvc.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mmoe.code_fingerprint import Codebase

ROOT = Path(__file__).parent.parent
OURS = ("mmoe", "pipeline")


@cache
def codebase(root: Path = ROOT) -> Codebase:
    return Codebase(root, OURS)


@cache
def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of mmoe and pipeline and its file, relative to the project's root."""
    return {name: path.relative_to(root) for name, path in codebase(root).modules().items()}


@cache
def imports_of(module: str, root: Path = ROOT) -> frozenset[str]:
    """All that a module imports, by full name; of ours, modules rather than the names in them."""
    code = codebase(root)
    known = code.modules()
    return frozenset(
        name if name in known or name.rpartition(".")[0] not in known else name.rpartition(".")[0]
        for name in code.code(module).imports
    )


def reached_from(module: str) -> set[str]:
    """Our modules that importing `module` runs, itself included; not what `mmoe` itself offers, lazily."""
    return codebase().reached_from(module, lambda name: name == "mmoe")
