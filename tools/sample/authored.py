"""The texts and names that the authors of the sample wrote, wherever in its sources they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from mmoe.files import read_text

SOURCES = Path(__file__).parent / "world"
TEXT_KEYS = frozenset(("text", "short", "attributes", "description", "aliases", "name"))
NAME_KEYS = frozenset(("name", "aliases"))


@dataclass(frozen=True)
class Authored:
    """Everything written by hand, without repetitions, in the order of the sources.

    Attributes:
        texts: sentences, attribute lines, descriptions and names: what the tokenizer learns from.
        names: of entities, without what they mean.
    """

    texts: tuple[str, ...]
    names: tuple[str, ...]


def read_authored(folder: Path = SOURCES) -> Authored:
    """Reads the YAML files of a folder.

    Raises:
        DataError: if a file is not UTF-8.
    """
    yaml = YAML(typ="safe", pure=True)
    parsed = [yaml.load(read_text(file)) for file in sorted(folder.glob("*.yaml"))]
    texts = dict.fromkeys(text for part in parsed for text in _under(part, TEXT_KEYS))
    names = dict.fromkeys(text for part in parsed for text in _under(part, NAME_KEYS))
    return Authored(tuple(texts), tuple(names))


def _under(value: Any, keys: frozenset[str]) -> Iterator[str]:
    """The strings below any of the keys, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner) if key in keys else _under(inner, keys)
    elif isinstance(value, list):
        for inner in value:
            yield from _under(inner, keys)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
