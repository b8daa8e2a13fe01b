"""docs/own-data.md is run: every command prints what the page shows, and no kind of message is left out."""

from __future__ import annotations

import io
import re
import subprocess
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


# In the place of our command: says on stderr with which words bash would start it.
MMOE = "mmoe() { printf '%s\\0' \"$@\" >&2; echo >&2; }"


def shell(command: str) -> str:
    """What our commands among these lines print; they run in this process, which starts no other Python."""
    run = ["bash", "-c", f"{MMOE}; {command}"]
    done = subprocess.run(run, capture_output=True, check=True, encoding="utf-8")
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        for words in done.stderr.splitlines():
            assert main(words.split("\0")[:-1]) < 2, words  # 1: it has found problems
    return said.getvalue()


def steps() -> list[tuple[str, str | None]]:
    """(command, output as shown) in order; of a block of `sh`, whose output goes to files, None is shown."""
    found: list[tuple[str, str | None]] = []
    for kind, body in FENCE.findall(PAGE):
        if kind == "sh":
            found.append((body, None))
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
            said = shell(command)
            assert shown is None or said == shown, command
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
