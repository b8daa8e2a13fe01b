"""One process at a time works on a folder, and what it leaves behind hinders nobody."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from mmoe.errors import BusyError
from mmoe.locks import exclusive_lock, lock_holder


def never() -> None:
    raise AssertionError("nobody else is at work")


def test_the_folder_is_made_and_the_lock_goes_away(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        with exclusive_lock(folder, ".lock", never):
            assert (folder / ".lock").exists()
        assert not list(folder.iterdir())


def test_a_failure_and_a_killed_process_leave_it_open(tmp_path: Path) -> None:
    with pytest.raises(KeyError), exclusive_lock(tmp_path, ".lock", never):
        raise KeyError
    (tmp_path / ".lock").touch()
    with exclusive_lock(tmp_path, ".lock", never):
        pass


def test_whoever_comes_second_says_so_and_waits(tmp_path: Path) -> None:
    said, done = threading.Event(), threading.Event()

    def work() -> None:
        with exclusive_lock(tmp_path, ".lock", said.set):
            done.set()

    with exclusive_lock(tmp_path, ".lock", never):
        second = threading.Thread(target=work)
        second.start()
        assert said.wait(10)
        assert not done.is_set()
    second.join(10)
    assert done.is_set()
    assert not list(tmp_path.iterdir())


def test_whoever_does_not_want_to_wait_raises(tmp_path: Path) -> None:
    def refuse() -> None:
        raise ValueError

    with exclusive_lock(tmp_path, ".lock", never):
        with pytest.raises(ValueError), exclusive_lock(tmp_path, ".lock", refuse):  # noqa: PT011
            pass
        assert (tmp_path / ".lock").exists()


def test_who_is_at_work_and_since_when_is_said(tmp_path: Path) -> None:
    assert lock_holder(tmp_path) == "another process"
    with exclusive_lock(tmp_path):
        said = rf"process {os.getpid()} on \S+, since [-\d]+ [:\d]+, is at work here; wait until"
        with pytest.raises(BusyError, match=said), exclusive_lock(tmp_path):
            pass
    assert not list(tmp_path.iterdir())


def test_a_disk_without_locks_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("mmoe.locks.FileLock.acquire", refuse)
    with exclusive_lock(tmp_path), exclusive_lock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_made_is_not_waited_for() -> None:
    with pytest.raises(OSError, match="/proc/"), exclusive_lock(Path("/proc/1"), "x", never):
        pass
