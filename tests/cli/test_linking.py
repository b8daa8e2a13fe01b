"""`mmoe bundle | link | kb add, remove, stats | serve | doctor` as a user types them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from mmoe.cli import main
from mmoe.linker.bundle import read_manifest
from mmoe.linker.knowledge import read_entities
from mmoe.linker.saving import CHANGING
from mmoe.locks import exclusive_lock
from mmoe.records import Entity, read_records

from tests.imports import ROOT

MMOE = [sys.executable, "-m", "mmoe"]


@pytest.fixture
def bundle(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built / "data/bundles/tiny", tmp_path / "bundle"))


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that must end well, and reads its JSON."""

    def ask(*words: object) -> Any:
        capsys.readouterr()
        assert main([*map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def test_a_run_becomes_a_bundle(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Any
) -> None:
    monkeypatch.chdir(built)
    said = asked("bundle", "tiny", tmp_path / "new", "--licence", "CC0-1.0")
    manifest = read_manifest(tmp_path / "new", check=True)
    assert said["bytes"] == sum(
        p.stat().st_size for p in (tmp_path / "new").rglob("*") if p.is_file()
    )
    stage = read_manifest(Path("data/bundles/tiny"))
    assert manifest.files.keys() == stage.files.keys()
    assert "Licence of the data: CC0-1.0" in (tmp_path / "new/README.md").read_text()


def test_one_mention_or_all_of_a_text_are_linked(
    bundle: Path, asked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name = read_records(bundle / "kb-0/entities.parquet", Entity)[0].name
    text = f"We saw {name} again."
    (one,) = asked("link", bundle, text, "--mention", name, "--top-k", 3)
    assert (one["start"], one["surface_form"], len(one["links"])) == (7, name, 3)
    found = asked("link", bundle, text, "--top-k", 3, "--no-rerank")
    assert [each["start"] for each in found] == [7]
    assert main(["link", str(bundle), text]) == 0
    assert name in capsys.readouterr().out
    assert main(["link", str(bundle), "nothing of note"]) == 0
    assert "name one with --mention" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["A text", "--mention", "Java"], "'Java' does not stand in the context"),
        (["", "--mention", ""], "surface_form is empty"),
        ([""], "text is empty"),
        (["x" * 1_000_001], "text has 1,000,001 characters, more than 1,000,000"),
        (["Java", "--mention", "Java", "--image", "gone.png"], "gone.png: No such file"),
        (["Java", "--encoder", "nowhere/at/all"], "nowhere/at/all: no such folder"),
    ],
)
def test_what_cannot_be_linked_is_one_line(
    words: list[str], said: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["link", str(bundle), *words]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_entities_come_and_go(
    bundle: Path, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = asked("kb", "stats", bundle)
    table = tmp_path / "new.csv"
    table.write_text("qid,name,attributes\nQ900001,Zorblax,A racing snail.\n")
    assert asked("kb", "add", bundle, table)["entities"] == before["entities"] + 1
    (found,) = asked("link", bundle, "Zorblax won.")
    assert found["links"][0]["qid"] == "Q900001"
    assert main(["kb", "add", str(bundle), str(table)]) == 1
    assert "Q900001: in the knowledge base already" in capsys.readouterr().err
    assert asked("kb", "remove", bundle, "Q900001")["entities"] == before["entities"]
    after = asked("kb", "stats", bundle)
    assert after["entities"] == before["entities"]
    assert after["changes"] == before["changes"] + 2
    assert main(["kb", "remove", str(bundle), "Q900001"]) == 1
    assert "Q900001: not in the knowledge base" in capsys.readouterr().err
    assert main(["kb", "add", str(bundle)]) == 1
    assert "name the new entities" in capsys.readouterr().err


def test_changes_come_one_after_the_other(bundle: Path, asked: Any) -> None:
    before = asked("kb", "stats", bundle)
    gone = read_entities(bundle / "kb-0/entities.parquet")[0].qid
    command = threading.Thread(target=main, args=(["kb", "remove", str(bundle), gone],))
    with exclusive_lock(bundle, CHANGING):
        command.start()
        command.join(1)
        assert command.is_alive()
        assert read_manifest(bundle).changes == before["changes"]
    command.join()
    assert asked("kb", "stats", bundle)["entities"] == before["entities"] - 1


def test_an_image_that_cannot_be_read_is_told(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    row = {"qid": "Q900001", "name": "Zorblax", "images": ["broken.png"]}
    (tmp_path / "entities.jsonl").write_text(json.dumps(row) + "\n")
    assert main(["kb", "add", str(bundle), str(tmp_path)]) == 0
    assert "broken.png: " in capsys.readouterr().err


def test_the_doctor_looks_at_a_bundle(
    bundle: Path, asked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    said = asked("doctor", bundle)
    assert said["problems"] == []
    assert said["environment"]["OPENAI_API_KEY"] == "set"
    (bundle / "model.safetensors").unlink()
    assert main(["doctor", str(bundle)]) == 1
    assert "problem: " in capsys.readouterr().out


def test_a_port_that_is_taken_is_said(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastapi", reason="the extra `server` is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", str(bundle), "--port", str(port)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: 127.0.0.1, port {port}: ")
    assert "stop the process that uses it, or choose another with --port" in error


def test_it_serves_until_it_is_stopped(bundle: Path) -> None:
    pytest.importorskip("fastapi", reason="the extra `server` is not installed")
    words = [*MMOE, "serve", str(bundle), "--port", "0", "--device", "cpu"]
    env = os.environ | {"MMOE_API_KEY": ""}
    with subprocess.Popen(
        words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().split()[0]
        with urlopen(f"{address}/ready", timeout=30) as answer:  # noqa: S310
            assert json.load(answer) == {"status": "ready"}
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
        assert "Traceback" not in process.stderr.read()
