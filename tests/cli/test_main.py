"""The command `mmoe` as a user types it: help, exit codes, and no traceback whatever happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from mmoe.cli import datasets, main
from mmoe.datasets import FORMATS
from mmoe.datasets.catalogue import CATALOGUE
from mmoe.datasets.own_schema import ROWS
from mmoe.records import SPLITS

from tests.datasets.folders import three_mentions, write_own
from tests.imports import ROOT

MMOE = [sys.executable, "-m", "mmoe"]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    of = dict(re.findall(r"^  ([a-z-]+)  +(\S.*)$", said.partition("Commands:\n")[2], re.MULTILINE))
    for name in (
        *("download", "check", "convert", "schema", "images", "cache", "kb", "plan", "params"),
        *("bundle", "link", "batch", "serve", "doctor"),
    ):
        assert of[name].endswith("."), f"cut: {of[name]}"
        assert not of[name].endswith("..."), f"cut: {of[name]}"
        assert main([name, "--help"]) == 0
        assert of[name] in capsys.readouterr().out
    assert "Exit codes: 0 done, 1 a mistake" in " ".join(said.split())


@pytest.mark.parametrize("words", [["chek"], ["check"], ["check", "x", "--format", "xml"]])
def test_a_wrong_command_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "Error: " in capsys.readouterr().err


def test_a_system_error_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    write_own(tmp_path / "own")
    words = [
        "convert",
        "mentions",
        str(tmp_path / "own/mentions.jsonl"),
        "--to",
        str(tmp_path / "file/x"),
    ]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1


def test_the_words_of_the_help_are_those_of_the_readers() -> None:
    assert {*get_args(datasets.Format)} == {"auto", *FORMATS}
    assert {*get_args(datasets.Benchmark)} == {"mimic", *CATALOGUE}
    assert get_args(datasets.Table) == (*ROWS,)
    assert get_args(datasets.Split) == SPLITS


@pytest.mark.parametrize("command", ["schema", "check"])
def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path, command: str) -> None:
    rows = [row | {"surface_form": ""} for row in three_mentions() * 2000]
    words = ["check", str(write_own(tmp_path, rows))] if command == "check" else ["schema"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*MMOE, *words], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_ctrl_c_says_how_to_go_on() -> None:
    code = (
        "import sys, time, mmoe.cli as c;"
        "c.app.command('wait')(lambda: [print('!', flush=True), time.sleep(60)]);"
        "sys.exit(c.main(['wait']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == "!"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == "stopped; the same command goes on from what is done\n"
