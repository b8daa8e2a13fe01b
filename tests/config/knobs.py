"""Which knobs of params.yaml a stage reads, found in its source with ast."""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass, field

from mmoe.config.matchers import MATCHER_SECTIONS
from mmoe.config.model import ModelParams
from mmoe.config.section import Section

from tests.imports import ROOT, modules

# Where a stage's work stands, if not in its own module.
WORK = {"pipeline.encode": "pipeline.encoding", "pipeline.evaluate": "pipeline.ranking"}


def knobs_of(kind: type[Section]) -> set[str]:
    """Every knob of a section."""
    return {f"{kind.SECTION}.{name}" for name in kind.knob_names()}


def _source(module: str) -> ast.Module:
    return ast.parse((ROOT / modules()[module]).read_text(encoding="utf-8"))


def _sections(tree: ast.Module) -> dict[str, type[Section]]:
    """The section classes that a module imports, by name."""
    found: dict[str, type[Section]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mmoe.config."):
            config = importlib.import_module(node.module or "")
            kinds = {alias.name: getattr(config, alias.name) for alias in node.names}
            found |= {
                name: kind
                for name, kind in kinds.items()
                if isinstance(kind, type) and issubclass(kind, Section)
            }
    return found


def _through(kind: type[Section], attribute: str) -> set[str]:
    """The knobs behind `section.attribute`: one, those that a property reads, or all (a method)."""
    if attribute in kind.model_fields:
        return {f"{kind.SECTION}.{kind.model_fields[attribute].alias or attribute}"}
    if not isinstance(vars(kind).get(attribute), property):
        return knobs_of(kind)
    (body,) = (
        node
        for node in ast.walk(_source(kind.__module__))
        if isinstance(node, ast.FunctionDef) and node.name == attribute
    )
    read = {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "self"
    }
    return {f"{kind.SECTION}.{name}" for name in read}


@dataclass
class _Reader(ast.NodeVisitor):
    """Follows `file.section(Kind)` into the names it is bound to and the attributes taken of them."""

    kinds: dict[str, type[Section]]
    bound: dict[str, type[Section]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def _kind(self, node: ast.AST) -> type[Section] | None:
        """The section that an expression is, if it is one."""
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "section":
            return self.kinds.get(getattr(node.args[0], "id", ""))
        return self.bound.get(ast.unparse(node)) if _is_variable(node) else None

    def visit_Assign(self, node: ast.Assign) -> None:
        (target,) = node.targets
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        for name, value in pairs:
            kind = self._kind(value)
            if kind is not None and _is_variable(name):
                self.bound[ast.unparse(name)] = kind
            else:
                self.visit(value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        kind = self._kind(node.value)
        if kind is not None:
            self.read |= _through(kind, node.attr)
        elif (own := self._kind(node)) is not None:
            self.read |= knobs_of(own)
        else:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        kind = self._kind(node)
        if kind is not None:
            self.read |= knobs_of(kind)
        elif getattr(node.func, "id", None) == "spec_from_params":  # of whatever matcher
            kinds: list[type[Section]] = [ModelParams, *MATCHER_SECTIONS.values()]
            self.read |= {knob for each in kinds for knob in knobs_of(each)}
        elif getattr(node.func, "attr", None) == "section":  # of each kind in a list
            self.read |= {knob for each in self.kinds.values() for knob in knobs_of(each)}
        else:
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in self.bound:
            self.read |= knobs_of(self.bound[node.id])


def knobs_read_by(module: str) -> set[str]:
    """The knobs that a stage's module reads; a section handed on or dumped counts as read whole."""
    work = knobs_in(_source(WORK[module])) if module in WORK else set()
    return work | knobs_in(_source(module))


def knobs_in(tree: ast.Module) -> set[str]:
    """As `knobs_read_by`, of a parsed module."""
    reader = _Reader(_sections(tree))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [*tree.body, *(method for each in classes for method in each.body)]:
        if isinstance(node, ast.FunctionDef):
            for statement in node.body:  # not the arguments: annotations name types, not values
                reader.visit(statement)
    return reader.read


def _is_variable(node: ast.AST) -> bool:
    """`name` or `self.name`."""
    if isinstance(node, ast.Attribute):
        return getattr(node.value, "id", None) == "self"
    return isinstance(node, ast.Name)
