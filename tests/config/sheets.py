"""params.yaml files that differ from the project's in a few keys, and what the project's file says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mmoe.config.check import check_params
from mmoe.config.load import ParamsFile
from mmoe.errors import MmoeError

from tests.imports import ROOT

PARAMS = ROOT / "params.yaml"
READ = ParamsFile(PARAMS)
DEFAULTS = READ.content
ABSENT = object()


def sheet(changes: dict[str, Any]) -> ParamsFile:
    """The project's parameters with some keys (`moe.top_k`) or sections set or left out."""
    params = READ.changed({})
    for key, value in changes.items():
        section, _, name = key.partition(".")
        place, last = (params.content[section], name) if name else (params.content, section)
        if value is ABSENT:
            del place[last]
        else:
            place[last] = value
    return params


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
