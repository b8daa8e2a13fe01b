"""Fingerprints of code by what it computes: comments, docstrings and the form of the text don't count.

A fingerprint covers a module and all modules of the project that it imports, followed through. Imports are
read, not run, so that this needs neither torch nor any other library.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

# The modules that a name in a registry stands for: `package.module` or `package.module:Name`.
_NAMED = re.compile(r"([a-z_]\w*(?:\.\w+)+)(?::\w+)?")


@dataclass(frozen=True)
class ModuleCode:
    """What one source file computes and what it imports.

    Attributes:
        tree: hash of its syntax tree without docstrings.
        imports: full names, `package.module` or `package.module.name`.
        named: what its strings name that looks like a module.
    """

    tree: str
    imports: tuple[str, ...]
    named: tuple[str, ...]


@cache
def parse_code(source: str | bytes) -> ModuleCode:
    """Reads one module; a source that stands unchanged is read once a process."""
    tree = ast.parse(source)
    imports, named = (tuple(sorted(set(found))) for found in (_imports(tree), _named(tree)))
    digest = hashlib.sha256()
    for part in _meaning(tree):
        digest.update(part.encode("utf-8", "surrogatepass"))
    return ModuleCode(digest.hexdigest(), imports, named)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _named(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _NAMED.fullmatch(node.value)
            if found:
                yield found[1]


def _meaning(node: Any) -> Iterator[str]:
    """The syntax tree as text, equal for all versions of Python: empty fields differ between them."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name in node._fields:
            value: Any = getattr(node, name, None)
            if name == "body" and isinstance(node, _DOCUMENTED) and ast.get_docstring(node, False):
                value = value[1:]
            if value not in (None, []) and name not in ("ctx", "kind", "type_comment"):
                yield f" {name}="
                yield from _meaning(value)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _meaning(item)
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r},"


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Codebase:
    """The packages below a folder, parsed as they are asked for.

    Attributes:
        root: holds the packages.
        packages: their names; what they import from elsewhere is not followed.
        kept: results by the hash of a source, for the next run; may be written to a file with `save`.
    """

    root: Path
    packages: tuple[str, ...]
    kept: dict[str, list[Any]] = field(default_factory=dict)
    _used: dict[str, list[Any]] = field(default_factory=dict)

    def modules(self) -> dict[str, Path]:
        """Every module and its file."""
        return _modules(self.root, self.packages)

    def code(self, module: str) -> ModuleCode:
        source = self.modules()[module].read_bytes()
        key = hashlib.sha256(source).hexdigest()
        if key not in self._used:
            found = self.kept.get(key)
            if found is None:
                parsed = parse_code(source)
                found = [parsed.tree, list(parsed.imports), list(parsed.named)]
            self._used[key] = found
        tree, imports, named = self._used[key]
        return ModuleCode(tree, tuple(imports), tuple(named))

    def imports_of(self, module: str) -> set[str]:
        """Modules of the project that a module imports, or names in a registry; itself in no case."""
        known, code = self.modules(), self.code(module)
        found = {name for name in code.named if name in known}
        for name in code.imports:
            for full in (name, name.rpartition(".")[0]):
                if full in known:
                    found.add(full)
                    break
        return found - {module}

    def reached_from(
        self, module: str, leave_out: Callable[[str], bool] = lambda _: False
    ) -> set[str]:
        """All modules that importing a module runs, itself included.

        Args:
            leave_out: whether a module, and what only it imports, is not followed.
        """
        known, seen, left = self.modules(), set[str](), [module]
        while left:
            name = left.pop()
            if name in seen or name not in known or leave_out(name):
                continue
            seen.add(name)
            parents = [name.rsplit(".", i)[0] for i in range(1, name.count(".") + 1)]
            left += [*self.imports_of(name), *parents]
        return seen

    def fingerprint(self, modules: Iterable[str]) -> str:
        """One short name for what modules compute."""
        return short_key(*(f"{name} {tree}" for name, tree in self.trees(modules).items()))

    def trees(self, modules: Iterable[str]) -> dict[str, str]:
        """The hash of every module's syntax tree, by name, sorted."""
        return {name: self.code(name).tree for name in sorted(modules)}

    def used(self) -> dict[str, list[Any]]:
        """What this run has parsed or taken from `kept`: the next one's `kept`."""
        return self._used


def tree_key(files: Iterable[Path]) -> str:
    """A short name for what some source files compute."""
    return short_key(*(f"{file.name} {parse_code(file.read_bytes()).tree}" for file in files))


def short_key(*lines: str) -> str:
    """16 hex digits for some lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def _modules(root: Path, packages: tuple[str, ...]) -> dict[str, Path]:
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path
    return found
