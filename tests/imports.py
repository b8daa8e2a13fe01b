"""What our modules import, read with ast: for the tests of layering and of dvc.yaml's deps."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS = ("mmoe", "pipeline")
# In the order of the pipeline.
STAGES = (
    "ingest",
    "retrieve",
    "rank",
    "compare",
    "audit",
    "encode",
    "baselines",
    "train",
    "evaluate",
    "benefit",
    "report",
)


def modules() -> dict[str, Path]:
    """Every module of mmoe and pipeline and its file, relative to the project's root."""
    return _modules_in(ROOT)


@cache
def _modules_in(root: Path) -> dict[str, Path]:
    found = {}
    for package in OURS:
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root)
            parts = relative.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = relative
    return found


@cache
def imports_of(module: str) -> frozenset[str]:
    """All that a module imports, by full name; of ours, modules rather than the names in them."""
    known = modules()
    tree = ast.parse((ROOT / known[module]).read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative import"
            assert node.module
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else node.module)
    return frozenset(found)


def reached_from(module: str) -> set[str]:
    """Our modules that importing `module` runs, itself included."""
    known, seen, left = modules(), set[str](), [module]
    while left:
        name = left.pop()
        if name in seen or name not in known:
            continue
        seen.add(name)
        parents = [name.rsplit(".", i)[0] for i in range(1, name.count(".") + 1)]
        left += [*imports_of(name), *parents]
    return seen


def stage_deps(stage: str) -> set[str]:
    """The code that `pipeline.<stage>` depends on, as dvc.yaml lists it.

    Packages count as a whole, modules of mmoe.config and single-file modules one by one. Files that
    hold nothing but a docstring are left out.
    """
    found = set()
    for module in reached_from(f"pipeline.{stage}"):
        parts = module.split(".")
        if module in {"mmoe", "pipeline", "mmoe.config"}:
            continue
        if parts[0] == "mmoe" and parts[1] != "config" and (ROOT / "mmoe" / parts[1]).is_dir():
            found.add(f"mmoe/{parts[1]}")
        else:
            found.add(modules()[module].as_posix())
    return found
