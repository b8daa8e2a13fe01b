"""Files appear whole or not at all; keys and hashes are the same in every process."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import DataError
from mmoe.files import (
    atomic_folder,
    atomic_write,
    content_key,
    read_json,
    read_text,
    sha256_of,
    write_json,
    write_text,
)

from tests.imports import ROOT

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aß\n", max_size=3), inner),
    max_leaves=8,
)


def test_a_file_and_its_folders_appear(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "Größe\n")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "Größe\n".encode()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["c.txt"]


def test_the_final_name_is_free_until_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent  # a rename across file systems would copy
    assert path.read_text() == "new"


@pytest.mark.parametrize("old", ["old", None])
def test_a_failure_leaves_what_was_there_and_nothing_else(old: str | None, tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    if old is not None:
        path.write_text(old)

    def killed() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == (
        {} if old is None else {"c.txt": old}
    )


def test_what_a_killed_run_left_is_written_over(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; from mmoe.files import atomic_write\n"
        "with atomic_write(pathlib.Path('c.txt')) as path:\n"
        " path.write_text('half of something long'); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path)
    assert done.returncode == 9
    assert len(list(tmp_path.iterdir())) == 1
    write_text(tmp_path / "c.txt", "whole")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"c.txt": "whole"}


def test_two_writers_of_a_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    with atomic_write(path) as first, atomic_write(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"c.txt": "first"}


def test_a_full_disk_at_fsync_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_text(tmp_path / "c.txt", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "c.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["c.txt"]
    assert (tmp_path / "c.txt").read_text() == "old"


@settings(deadline=None, max_examples=25)
@given(value=JSON)
def test_json_comes_back_as_it_went(value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder) / "v.json", value)
        assert read_json(Path(folder) / "v.json") == value


def test_json_keeps_the_order_of_keys_and_plain_letters(tmp_path: Path) -> None:
    write_json(tmp_path / "v.json", {"z": 1, "a": "Größe"})
    assert (tmp_path / "v.json").read_text("utf-8") == '{\n  "z": 1,\n  "a": "Größe"\n}\n'


@pytest.mark.parametrize("value", [float("nan"), [float("inf")]])
def test_what_is_no_json_number_is_not_written(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "v.json", value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1, column 1"),
        ('{"a": 1,\n "b" 2}', "line 2, column 6"),
        ("[1", "line 1, column 3"),
    ],
)
def test_broken_json_names_line_and_column(text: str, place: str, tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: not valid JSON at {place}: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a\nGröße".encode("latin-1"), "line 2, byte 3 (0xf6), looks like Latin-1"),
        ("a".encode("utf-16"), "line 1, byte 1 (0xff), looks like UTF-16"),
        ("a\n\nö".encode()[:-1], "line 3, byte 1 (0xc3)"),
        (b"a\x80b", "line 1, byte 2 (0x80)"),
    ],
)
def test_text_that_is_not_utf_8_names_the_place(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_text(path)
    assert str(caught.value) == f"{path}: not UTF-8 at {said}; save the file as UTF-8"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"\xef\xbb\xbfa")
    assert read_text(tmp_path / "t.txt") == "a"


@settings(deadline=None, max_examples=25)
@given(content=st.binary(max_size=99))
def test_sha256_is_the_hash_of_the_bytes(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(content)
        assert sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_a_key_is_sixteen_hex_digits_and_ignores_the_order_of_a_mapping() -> None:
    key = content_key({"b": 1, "a": [2]}, "x")
    assert key == content_key({"a": [2], "b": 1}, "x")
    assert len(key) == 16
    assert int(key, 16) >= 0


@settings(deadline=None, max_examples=25)
@given(one=JSON, other=JSON)
def test_different_contents_get_different_keys(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (content_key(one) == content_key(other)) is same


def test_a_key_is_the_same_in_every_process() -> None:
    parts = "{'größe': {1: 'a'}, 'b': (1, 2.5, None, True)}, 'x'"
    code = f"from mmoe.files import content_key; print(content_key({parts}))"
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "2")
    }
    assert keys == {content_key({"größe": {1: "a"}, "b": (1, 2.5, None, True)}, "x")}


def contents_of(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_folder_is_replaced_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for word in ("first", "second"):
        with atomic_folder(out) as new:
            (new / word).write_text(word)
        assert contents_of(out) == {word: word}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with atomic_folder(out) as new:
        (new / "old").write_text("whole")
    with pytest.raises(FileNotFoundError), atomic_folder(out) as new:
        (new / "half" / "nowhere").write_text("half")
    assert contents_of(out) == {"old": "whole"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_of_two_that_write_a_folder_one_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def write(word: str) -> None:
        with atomic_folder(out) as new:
            (new / word).write_text(word)

    second = Thread(target=write, args=["second"])
    with atomic_folder(out) as new:
        second.start()
        while "another process writes it" not in capsys.readouterr().err:
            time.sleep(0.01)
        (new / "first").write_text("first")
    second.join()
    assert contents_of(out) == {"second": "second"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_comes_back_after_a_kill_between_the_renames(tmp_path: Path) -> None:
    out, aside = tmp_path / "out", tmp_path / ".out.old"
    aside.mkdir()
    (aside / "old").write_text("whole")
    with pytest.raises(RuntimeError), atomic_folder(out):
        raise RuntimeError
    assert contents_of(out) == {"old": "whole"}
