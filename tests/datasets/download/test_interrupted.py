"""Killed processes and full disks: what has arrived stays, and the next run goes on from it."""

from __future__ import annotations

import errno
import hashlib
import io
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mmoe.datasets.download.fetch import fetch
from mmoe.errors import DataError

from tests.datasets.download.one_fetch import command
from tests.datasets.download.server import Handler, Site
from tests.imports import ROOT

CONTENT = hashlib.shake_256(b"large").digest(300_000)


def test_a_killed_process_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    half_sent = threading.Event()

    def half(handler: Handler, content: bytes) -> None:
        handler.serve(content, up_to=150_000)
        half_sent.set()
        handler.site.closing.wait(20)

    source = site.publish("f", CONTENT, half)
    part = tmp_path / "file.part"
    with subprocess.Popen(
        command(source, site.base, tmp_path / "file"), cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        assert half_sent.wait(20)
        wait_for(part, 100_000)
        process.send_signal(signal.SIGKILL)
    kept = part.stat().st_size
    assert not (tmp_path / "file").exists()
    fetch(source, tmp_path / "file", site.base)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert site.log[-1].headers["Range"] == f"bytes={kept}-"
    assert site.log[-1].sent == len(CONTENT) - kept
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def wait_for(file: Path, size: int) -> None:
    """Until `file` holds `size` bytes: buffers lie between the network and the disk."""
    for _ in range(2000):
        if file.is_file() and file.stat().st_size >= size:
            return
        time.sleep(0.01)
    pytest.fail(f"{file} didn't grow to {size} bytes")


class FullDisk(io.FileIO):
    """A file on a disk with room for 100,000 bytes."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_one_line_and_keeps_the_part(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = site.publish("f", CONTENT)
    opened = Path.open

    def on_full_disk(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        return FullDisk(path, mode) if mode == "ab" else opened(path, mode, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", on_full_disk)
        with pytest.raises(DataError, match=r"file: the disk is full; make room .* it goes on"):
            fetch(source, tmp_path / "file", site.base)
    kept = (tmp_path / "file.part").stat().st_size
    assert 0 < kept <= 100_000
    fetch(source, tmp_path / "file", site.base)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(site.log) == 2
    assert site.log[1].headers["Range"] == f"bytes={kept}-"


def test_a_disk_that_is_really_full(site: Site, tmp_path: Path) -> None:
    """A file system in memory with room for a third of the file, in a namespace of its own."""
    disk = shlex.quote(str(tmp_path))
    mount = f"mount -t tmpfs -o size=100k none {disk}"
    if subprocess.run(["unshare", "-Urm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    source = site.publish("f", CONTENT)
    line = shlex.join(command(source, site.base, tmp_path / "file"))
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", f"{mount} && {line}; echo $?; stat -c '%n %s' {disk}/*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    code, *files = done.stdout.splitlines()
    assert code == "1"
    assert "error: " in done.stderr
    assert "the disk is full; make room" in done.stderr
    assert "Traceback" not in done.stderr
    sizes = {Path(name).name: int(size) for name, size in (line.split() for line in files)}
    assert sizes["file.part"] > 50_000
    assert "file" not in sizes


def test_a_folder_that_may_not_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where a folder is wanted")
    with pytest.raises(DataError, match=r"a.*: can't be written \(.*\); mend that"):
        fetch(site.publish("f", CONTENT), tmp_path / "a" / "file", site.base)
    assert site.log == []


def test_the_last_byte_may_be_all_that_is_lacking(site: Site, tmp_path: Path) -> None:
    source = site.publish("f", CONTENT)
    (tmp_path / "file.part").write_bytes(CONTENT[:-1])
    fetch(source, tmp_path / "file", site.base)
    assert site.log[0].sent == 1
