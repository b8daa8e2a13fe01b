"""A folder of images: what is fetched, what is counted, what a second run and a killed one ask for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from mmoe.errors import WikidataError
from mmoe.files import sha256_of
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.images.collect import collect
from mmoe.wikidata.work import Row

from tests.imports import ROOT
from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.runs import FAST
from tests.wikidata.images.commons import Commons, held, image
from tests.wikidata.knowledge.world import rows
from tests.wikidata.loopback import body, page

NAMES = {"Q1": "Ada 1901.jpg", "Q2": "Emblem.svg", "Q3": "Ada 1901.jpg", "Q4": "Gone.jpg"}


@pytest.fixture
def filled(commons: Commons) -> Commons:
    commons.add("Ada 1901.jpg", LicenseUrl="https://l.example/by", Credit="<i>Own work</i>")
    commons.add("Emblem.svg", "image/svg+xml", 300, 200, Artist="", LicenseShortName="")
    return commons


class Folder:
    """A folder to collect in, and how it is done."""

    def __init__(self, out: Path, settings: ApiSettings, time_of: StoppedClock) -> None:
        self.out, self.settings, self.time_of = out, settings, time_of

    def collect(
        self, names: dict[str, str], width: int = 330
    ) -> tuple[dict[str, Row], dict[str, int]]:
        return collect(names, self.out, width, self.settings, self.time_of.clock())

    def rows(self) -> list[dict[str, object]]:
        return rows(self.out / "licences.jsonl")

    def size(self, path: str) -> tuple[int, int]:
        with Image.open(self.out / path) as image:
            return image.size

    def files(self) -> list[str]:
        found = (path.relative_to(self.out) for path in self.out.rglob("*") if path.is_file())
        return sorted(str(path) for path in found)


@pytest.fixture
def folder(tmp_path: Path, settings: ApiSettings, time_of: StoppedClock) -> Folder:
    return Folder(tmp_path / "kb", settings, time_of)


def test_images_licences_and_counts(filled: Commons, folder: Folder) -> None:
    found, counts = folder.collect(NAMES)
    images = ["images/Q1.jpg", "images/Q2.png", "images/Q3.jpg"]
    assert folder.files() == [*images, "licences.jsonl"]
    assert folder.size("images/Q1.jpg") == (330, 247)
    assert folder.size("images/Q2.png") == (250, 166)
    base = filled.base
    assert folder.rows()[0] == {
        "qid": "Q1",
        "path": "images/Q1.jpg",
        "file": "Ada 1901.jpg",
        "page": f"{base}/wiki/File:Ada_1901.jpg",
        "source": f"{base}/thumb/8/87/Ada_1901.jpg/330px-Ada_1901.jpg",
        "author": "Ada Testwell",
        "credit": "Own work",
        "licence": "CC BY-SA 4.0",
        "licence_url": "https://l.example/by",
        "type": "image/jpeg",
        "width": 330,
        "height": 247,
        "asked_width": 330,
        "sha256": sha256_of(folder.out / "images/Q1.jpg"),
    }
    assert found == {str(row["qid"]): row for row in folder.rows()}
    assert counts == {
        "images": 3,
        "there already": 0,
        "fetched": 2,
        "failed: no such file on Commons": 1,
        "thumbnails of image/svg+xml": 1,
        "without a licence": 1,
        "without an author": 1,
        "requests": 4,
    }


def test_a_second_run_asks_only_for_what_is_lacking(filled: Commons, folder: Folder) -> None:
    folder.collect(NAMES)
    before, files = len(filled.log), folder.files()
    again, counts = folder.collect(NAMES)
    # About the file that wasn't there, now in a batch of its own.
    assert len(filled.log) == before + 1
    assert (counts["there already"], counts["fetched"]) == (2, 0)
    assert folder.files() == files
    assert again.keys() == {"Q1", "Q2", "Q3"}
    filled.add("New.jpg")
    more, _ = folder.collect({"Q5": "New.jpg", "Q6": "Emblem.svg"})
    assert [row["qid"] for row in folder.rows()] == ["Q1", "Q2", "Q3", "Q5", "Q6"]
    assert more.keys() == {"Q5", "Q6"}


def test_another_width_another_name_and_a_damaged_file_are_fetched_again(
    filled: Commons, folder: Folder
) -> None:
    filled.add("Emblem.png", "image/png")
    folder.collect(NAMES)
    folder.collect({"Q1": "Ada 1901.jpg"}, width=120)
    assert folder.size("images/Q1.jpg") == (120, 90)
    folder.collect({"Q1": "Emblem.png"})
    assert folder.files()[:3] == ["images/Q1.png", "images/Q2.png", "images/Q3.jpg"]
    assert folder.size("images/Q3.jpg") == (330, 247)
    (folder.out / "images/Q3.jpg").write_bytes(b"")
    assert folder.collect({"Q3": "Ada 1901.jpg"})[1]["fetched"] == 1
    assert folder.size("images/Q3.jpg") == (330, 247)


def test_every_failure_is_counted_by_its_reason(commons: Commons, folder: Folder) -> None:
    commons.add("A.jpg", "image/jpeg", 800, 600, page(404))
    commons.add("B.jpg", "image/jpeg", 800, 600, page(429))
    commons.add("C.jpg", "image/jpeg", 800, 600, body(b"<html>", "text/html"))
    commons.add("F.pdf", "application/pdf", 800, 600)
    commons.add("D.jpg", "image/jpeg", 800, 600, *[image(b"")] * 4)
    commons.add("E.ogg", "audio/ogg", 0, 0)
    commons.add("G.webm", "video/webm", 800, 600)
    commons.add("H.tif", "image/tiff", 800, 600)
    commons.add("I.svg", "image/svg+xml", 12, 12)
    names = [*commons.files, "Z.jpg"]
    _, counts = folder.collect({f"Q{number}": name for number, name in enumerate(names, start=1)})
    assert counts == {
        "images": 10,
        "there already": 0,
        "fetched": 3,
        "failed: gave up: empty file": 1,
        "failed: no image but text/html": 1,
        "failed: no such file on Commons": 1,
        "failed: no thumbnail of audio/ogg": 1,
        "failed: no thumbnail of image/svg+xml": 1,
        "failed: not at its address (HTTP 404)": 1,
        "failed: refused for its width (HTTP 429)": 1,
        "thumbnails of application/pdf": 1,
        "thumbnails of image/tiff": 1,
        "thumbnails of video/webm": 1,
        "without a licence": 0,
        "without an author": 0,
        "requests": 1 + 3 + 4 + 3,
    }
    assert len(commons.asked_for("B.jpg")) == 1
    # They are asked for again by a later run, which finds them mended here.
    assert folder.collect({"Q1": "A.jpg", "Q2": "B.jpg"})[1]["fetched"] == 2


def test_a_server_that_is_down_ends_the_run_and_keeps_what_came(
    filled: Commons, folder: Folder
) -> None:
    down = [page(503)] * 4
    for letter in "ABC":
        filled.add(f"{letter}.jpg", "image/jpeg", 800, 600, *down)
    names = {"Q1": "Ada 1901.jpg", "Q7": "A.jpg", "Q8": "B.jpg", "Q9": "C.jpg"}
    with pytest.raises(WikidataError, match="gave up after 4 attempts, the last: HTTP 503"):
        folder.collect(names)
    assert not (folder.out / "licences.jsonl").exists()
    assert len(filled.log) == 1 + 1 + 3 * 4
    counts = folder.collect(names)[1]
    assert (counts["fetched"], counts["requests"]) == (4, 3)
    assert len(filled.asked_for("Ada 1901.jpg")) == 1


def process_of(commons: Commons, folder: Folder, names: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.wikidata.images.test_collect", commons.url, folder.out],
        cwd=ROOT,
        env=os.environ | {"NAMES": json.dumps(names)},
        stderr=subprocess.DEVNULL,
    )


def test_two_processes_with_one_folder_take_turns(filled: Commons, folder: Folder) -> None:
    names = {"Q1": "Ada 1901.jpg", "Q2": "Emblem.svg"}
    with process_of(filled, folder, names) as one, process_of(filled, folder, names) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert [len(filled.asked_for(name)) for name in names.values()] == [1, 1]
    assert folder.files() == ["images/Q1.jpg", "images/Q2.png", "licences.jsonl"]


def test_a_killed_run_fetches_nothing_twice(
    commons: Commons, folder: Folder, tmp_path: Path
) -> None:
    arrived = threading.Event()
    names = {f"Q{number}": f"File {number}.jpg" for number in range(1, 9)}
    for number in range(1, 9):
        commons.add(f"File {number}.jpg", "image/jpeg", 800, 600)
    commons.tricks["File 6.jpg"] = [held(arrived)]
    with process_of(commons, folder, names) as process:
        assert arrived.wait(30)
        process.send_signal(signal.SIGKILL)
    assert not (folder.out / "images").exists()
    assert folder.collect(names)[0].keys() == names.keys()
    asked = {name: len(commons.asked_for(name)) for name in names.values()}
    assert asked == dict.fromkeys(names.values(), 1) | {"File 6.jpg": 2}
    assert len(commons.asked_of_api()) == 1
    assert [path for path in folder.files() if path.startswith(".")] == []


@pytest.mark.parametrize("row", ['["Q1"]', '{"id": "Q1"}', '{"qid": 1}'])
def test_another_table_is_named(folder: Folder, row: str) -> None:
    folder.out.mkdir()
    (folder.out / "licences.jsonl").write_text(row)
    with pytest.raises(WikidataError, match=r"licences\.jsonl, row 1: "):
        folder.collect({})


def main(url: str, out: str) -> None:
    """Collects images; run as a process, to be killed."""
    settings = ApiSettings(url, limits=FAST)
    collect(json.loads(os.environ["NAMES"]), Path(out), 330, settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
