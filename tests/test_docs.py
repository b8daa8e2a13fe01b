"""README and docs/ name only what exists: pages, headings, files, commands, options, stages and knobs."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from mmoe.cli import app
from mmoe.config.load import ParamsFile
from mmoe.config.moved import MOVED, RENAMED_BACKENDS
from mmoe.datasets.own_schema import RENAMED

from pipeline.layout import STAGES
from tests.imports import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
README_LINES = 250

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def commands(page: Path) -> list[list[str]]:
    """The words of every command that a page shows."""
    blocks = [body for kind, body in FENCE.findall(page.read_text("utf-8")) if kind == "console"]
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    shown = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [shlex.split(line, comments=True) for line in shown]


def anchors(page: Path) -> set[str]:
    """The headings as GitHub names them in links."""
    text = FENCE.sub("", page.read_text("utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pages
def test_commands_of_mmoe_and_their_options_exist(page: Path) -> None:
    for words in commands(page):
        if "mmoe" not in words:
            continue
        command: Any = get_command(app)
        rest = words[words.index("mmoe") + 1 :]
        while isinstance(command, typer.core.TyperGroup):
            assert rest[0] in command.commands, words
            command = command.commands[rest.pop(0)]
        known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= known, words


@pages
def test_knobs_and_targets_of_dvc_exist(page: Path) -> None:
    content = ParamsFile(ROOT / "params.yaml").content
    for words in commands(page):
        for flag, value in itertools.pairwise(words):
            if flag == "-S":
                section, _, key = value.partition("=")[0].partition(".")
                assert section in content, words
                assert not key or key in content[section], words
        if words[:1] == ["dvc"]:
            targets = [word.partition("@")[0] for word in words if "@" in word and "=" not in word]
            assert set(targets) <= set(STAGES), words


@pages
def test_modules_and_make_targets_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    old = (
        {"mmoe.datasets", "mmoe.wikidata", "mmoe.sample"} if page.name == "upgrading.md" else set()
    )
    for module in set(
        re.findall(r"python -m ((?:mmoe|pipeline|tools|tests|benchmarks)[\w.]*)", text)
    ):
        path = ROOT / module.replace(".", "/")
        runs = path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
        assert runs or module in old, module
    for target in re.findall(r"`make (\w+)", text):
        assert f"\n{target}: " in makefile, target


def test_files_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = re.findall(r"`((?:mmoe|tests|tools|pipeline|benchmarks)/[\w/.]*)`", text)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_upgrading_names_everything_that_was_renamed() -> None:
    text = (ROOT / "docs/upgrading.md").read_text("utf-8")
    keys = {key: new for table in RENAMED.values() for key, new in table.items()}
    for old, new in (MOVED | RENAMED_BACKENDS | keys).items():
        assert f"`{old}`" in text or f"`rank.backend: {old}`" in text, old
        assert new in text or f"section `{new.partition('.')[0]}`" in text, new


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= README_LINES
