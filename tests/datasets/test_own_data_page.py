"""docs/own-data.md is run: every command prints what the page shows, and no kind of message is left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mmoe.config.load import ParamsFile
from mmoe.datasets.own_schema import ROWS
from mmoe.datasets.problems import Kind, Notice

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-data.md").read_text("utf-8")
FENCE = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)


MMOE = "python -c 'import sys; from mmoe.cli import main; sys.exit(main())'"


def shell(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f'mmoe() {{ {MMOE} "$@"; }}; {command}'],
        cwd=folder,
        env=os.environ
        | {"PATH": path, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def steps() -> list[tuple[str, str]]:
    """(command, output as shown) in order; a block of `sh` shows none."""
    found = []
    for kind, body in FENCE.findall(PAGE):
        if kind == "sh":
            found.append((body, ""))
            continue
        _, *parts = COMMAND.split(body)
        found += zip(parts[::2], parts[1::2], strict=True)
    return found


def test_every_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    ran = 0
    for command, shown in steps():
        if not command.startswith("dvc "):
            assert shell(command, tmp_path) == shown, command
            ran += 1
    assert ran >= 7


def test_only_dvc_is_not_run_and_its_knobs_exist() -> None:
    left = [command for command, _ in steps() if command.startswith("dvc ")]
    assert [command.split()[1] for command in left] == ["add", "exp"]
    content = ParamsFile(ROOT / "params.yaml").content
    for knob in re.findall(r"-S '?([\w.]+)=", PAGE):
        section, _, key = knob.partition(".")
        assert section in content
        assert not key or key in content[section]


@pytest.mark.parametrize("kind", [*Kind, *Notice])
def test_every_kind_of_message_is_explained(kind: str) -> None:
    assert f"\n| {kind} | " in PAGE


@pytest.mark.parametrize("table", list(ROWS))
def test_every_key_stands_in_the_page(table: str) -> None:
    section = PAGE.partition(f"| `{table}.jsonl`")[2].partition("\n\n")[0]
    keys = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(keys) == sorted(ROWS[table].model_fields)
