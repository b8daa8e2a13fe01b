"""Fingerprints of images: content, looks, faults, and going on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from mmoe.datasets import fingerprints
from mmoe.datasets.fingerprints import fingerprint_images
from mmoe.files import sha256_of
from mmoe.images import read_image
from mmoe.records import ImageFile

ROOT = Path(__file__).parents[2]
LIMIT = 1_000_000


def draw(path: Path, shift: int = 0, size: int = 96) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (size, size), (240, 240, 230))
    pen = ImageDraw.Draw(image)
    pen.ellipse((10 + shift, 20, 60 + shift, 80), fill=(180, 40, 30))
    pen.rectangle((50, 5 + shift, 90, 40), fill=(20, 60, 160))
    image.save(path)
    return path


def distance(one: ImageFile, other: ImageFile) -> int:
    assert one.phash is not None
    assert other.phash is not None
    return (int(one.phash, 16) ^ int(other.phash, 16)).bit_count()


def test_looks_survive_another_format_and_size_and_tell_images_apart(tmp_path: Path) -> None:
    with Image.open(draw(tmp_path / "a.png")) as image:
        image.convert("RGB").save(tmp_path / "b.jpg", quality=70)
        image.resize((400, 400)).save(tmp_path / "c.jpg")
    draw(tmp_path / "d.png", shift=25)
    names = {"a.png", "b.jpg", "c.jpg", "d.png"}
    a, b, c, d = fingerprint_images(tmp_path, names, LIMIT, tmp_path / "journal")
    assert distance(a, b) <= 4
    assert distance(a, c) <= 4
    assert distance(a, d) > 4
    assert len({row.sha256 for row in (a, b, c, d)}) == 4
    assert (a.sha256, a.width, c.height) == (sha256_of(tmp_path / "a.png"), 96, 400)


def test_faults_are_reported_in_their_rows(tmp_path: Path) -> None:
    whole = draw(tmp_path / "whole.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no image")
    Image.new("RGB", (8, 8), (0, 0, 0)).save(tmp_path / "black.png")
    names = {"black.png", "gone.png", "half.png", "text.jpg", "whole.png"}
    black, gone, half, text, fine = fingerprint_images(tmp_path, names, LIMIT, tmp_path / "journal")
    assert (black.phash, black.problem) == (None, None)
    assert gone.sha256 is None
    assert gone.problem is not None
    assert half.sha256 is not None
    assert (half.phash, half.width) == (None, None)
    assert half.problem is not None
    assert text.problem is not None
    assert fine.problem is None
    assert [row.image for row in (black, gone, half, text, fine)] == sorted(names)


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {draw(tmp_path / f"{i}.png", i).name for i in range(4)}
    first = fingerprint_images(tmp_path, names, LIMIT, tmp_path / "journal")
    draw(tmp_path / "2.png", shift=30)
    read = []

    def watched(root: Path, name: str) -> bytes:
        read.append(name)
        return read_image(root, name)

    monkeypatch.setattr(fingerprints, "read_image", watched)
    again = fingerprint_images(tmp_path, names, LIMIT, tmp_path / "journal")
    assert read == ["2.png"]
    assert [a == b for a, b in zip(first, again, strict=True)] == [True, True, False, True]
    assert fingerprint_images(tmp_path, names, LIMIT, tmp_path / "journal") == again


def test_damaged_lines_of_the_journal_are_done_again(tmp_path: Path) -> None:
    names = {draw(tmp_path / f"{i}.png", i).name for i in range(6)}
    journal = tmp_path / "journal"
    rows = fingerprint_images(tmp_path, names, LIMIT, journal)
    lines = journal.read_bytes().splitlines()
    lines[0] = lines[0].replace(b'"height": ', b'"height": 1')
    lines[1] = lines[1].replace(b'"phash"', b'"p-hash"')
    lines[2:5] = [b"[1, 2]", b'"\xff"', b"{}"]
    journal.write_bytes(b"\n".join(lines) + b"\n")
    assert fingerprint_images(tmp_path, names, LIMIT, journal) == rows


def test_a_killed_process_goes_on(tmp_path: Path) -> None:
    names = [draw(tmp_path / f"{i}.png", i % 30, size=300).name for i in range(60)]
    journal = tmp_path / "journal"
    code = (
        "import sys; from pathlib import Path; from mmoe.datasets import fingerprints as f;"
        "f.AT_ONCE = 2; root = Path(sys.argv[1]);"
        "f.fingerprint_images(root, {p.name for p in root.glob('*.png')}, 10**6, root / 'journal')"
    )
    child = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT, stderr=-3)
    deadline = time.monotonic() + 60
    while not (journal.is_file() and journal.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    done = sum(line.endswith("}") for line in journal.read_text().splitlines())
    assert 0 < done < len(names)
    rows = fingerprint_images(tmp_path, set(names), LIMIT, journal)
    assert rows == fingerprint_images(tmp_path, set(names), LIMIT, tmp_path / "fresh")
    assert len([json.loads(line) for line in journal.read_text().splitlines() if line]) >= len(rows)
