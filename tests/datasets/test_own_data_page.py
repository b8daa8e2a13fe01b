"""docs/own-data.md is run: every command prints what the page shows, and no kind of message is left out."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from mmoe.cli import main
from mmoe.config.load import ParamsFile
from mmoe.datasets.own_schema import ROWS
from mmoe.datasets.problems import Kind, Notice

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-data.md").read_text("utf-8")
FENCE = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)


WORDS = "printf '%s\\0'"  # tells the words behind `mmoe` as bash takes them
MMOE = f"PYTHONPATH={ROOT} {sys.executable} -c 'import sys; from mmoe.cli import main; sys.exit(main())'"


def shell(command: str) -> str:
    """What a command prints; a single one of ours runs in this process, which starts no other Python."""
    is_single = command.startswith("mmoe ") and " > " not in command
    done = subprocess.run(
        ["bash", "-c", f'mmoe() {{ {WORDS if is_single else MMOE} "$@"; }}; {command}'],
        env=os.environ | {"LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=True,
    )
    if not is_single:
        return done.stdout
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        main(done.stdout.split("\0")[:-1])
    return said.getvalue()


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


def test_every_command_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for command, shown in steps():
        if not command.startswith("dvc "):
            assert shell(command) == shown, command
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
