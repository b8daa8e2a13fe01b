"""A package's command line: its commands, their exit codes, and failures that are a user's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.commands import run_command

COMMAND = """'''Counts things.'''
from mmoe.errors import DataError

def add_arguments(parser):
    parser.add_argument("number", type=int)

def run(arguments):
    if arguments.number < 0:
        raise DataError("must not be negative")
    return arguments.number
"""


@pytest.fixture
def summaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    folder = tmp_path / "toy_package" / "commands"
    folder.mkdir(parents=True)
    (folder / "count.py").write_text(COMMAND)
    monkeypatch.syspath_prepend(tmp_path)
    return {"count": "counts"}


def test_a_command_and_its_exit_code(
    summaries: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("toy_package", None, summaries, ["count", "3"]) == 3
    assert run_command("toy_package", None, summaries, ["count", "--", "-1"]) == 1
    assert capsys.readouterr().err == "error: must not be negative\n"


def test_help_names_the_package_and_its_commands(
    summaries: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for argv in (["--help"], ["count", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            run_command("toy_package", "A toy.", summaries, argv)
    said = capsys.readouterr().out
    assert all(text in said for text in ("python -m toy_package", "A toy.", "Counts things."))
