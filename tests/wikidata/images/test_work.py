"""What a killed run leaves: whole images, failures, half a line, half a file."""

from __future__ import annotations

from pathlib import Path

from mmoe.wikidata.images.fetch import Failure, FetchedImage
from mmoe.wikidata.images.folder import FAILURES, Work


def test_images_and_failures_are_found_again(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    work.keep("A.svg", FetchedImage(b"bytes", ".png", 1, 1))
    work.note({"B.jpg": Failure("gone"), 'C "é".jpg': Failure("odd", gave_up="a long story")})
    again = Work(tmp_path / "work")
    arrived = again.arrived("A.svg")
    assert arrived is not None
    assert (arrived.suffix, arrived.read_bytes()) == (".png", b"bytes")
    assert again.arrived("A.png") is None
    assert again.failures == work.failures == {"B.jpg": "gone", 'C "é".jpg': "odd"}
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_half_a_line_and_half_a_file_count_for_nothing(tmp_path: Path) -> None:
    work = Work(tmp_path)
    work.keep("A.jpg", FetchedImage(b"bytes", ".jpg", 1, 1))
    (arrived,) = tmp_path.glob("*.jpg")
    arrived.rename(arrived.with_name(f".{arrived.name}.123.tmp"))
    work.note({"B.jpg": Failure("gone")})
    with (tmp_path / FAILURES).open("ab") as log:
        log.write(b'["C.jpg","half')
    again = Work(tmp_path)
    assert again.arrived("A.jpg") is None
    assert again.failures == {"B.jpg": "gone"}
    again.note({"C.jpg": Failure("whole")})
    assert Work(tmp_path).failures == {"B.jpg": "gone", "C.jpg": "whole"}
