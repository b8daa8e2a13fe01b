"""params.yaml files that differ from the project's in a few keys, and what the project's file says."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from mmoe.config.check import check_params
from mmoe.config.load import ParamsFile
from mmoe.errors import MmoeError

from tests.imports import ROOT

PARAMS = ROOT / "params.yaml"
DEFAULTS: dict[str, Any] = YAML(typ="safe", pure=True).load(PARAMS)
ABSENT = object()


def sheet(folder: Path, changes: dict[str, Any]) -> ParamsFile:
    """The defaults with some keys (`moe.top_k`) set or left out, written and read again."""
    content = copy.deepcopy(DEFAULTS)
    for key, value in changes.items():
        section, _, name = key.partition(".")
        place, last = (content[section], name) if name else (content, section)
        if value is ABSENT:
            del place[last]
        else:
            place[last] = value
    path = folder / "params.yaml"
    YAML(typ="safe", pure=True).dump(content, path)
    return ParamsFile(path)


def edited(folder: Path, old: str, new: str) -> Path:
    """The project's params.yaml with one place in its text replaced."""
    text = PARAMS.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    path = folder / "params.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def complaint(params: ParamsFile) -> str:
    """What the check says about a file that it must refuse, without the file's name."""
    with pytest.raises(MmoeError) as caught:
        check_params(params)
    return str(caught.value).replace(f"{params.path}: ", "")


class Comment(NamedTuple):
    """The comment of one key, line breaks taken out."""

    key: str
    text: str


def comments() -> list[Comment]:
    """Every key of the project's file as written there, with its comment."""
    found: list[Comment] = []
    section = ""
    for line in PARAMS.read_text(encoding="utf-8").splitlines():
        code, _, comment = (part.strip() for part in line.partition("#"))
        entry = re.match(r"(\w+):", code)
        if entry and not line.startswith(" "):
            section = entry[1]
        if entry and (line.startswith(" ") or code != f"{section}:"):
            key = f"{section}.{entry[1]}" if line.startswith(" ") else section
            found.append(Comment(key, comment))
        elif comment and line.startswith(" "):
            found[-1] = Comment(found[-1].key, f"{found[-1].text} {comment}")
    return found
