"""Thumbnails: small, upright, on white; a broken file is a note."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from mmoe.reporting import examples
from mmoe.reporting.examples import Thumbnail


def thumbnail(raw: Path, image: str | None) -> Thumbnail:
    return examples.thumbnail(raw, image, max_pixels=1_000_000)


def decoded(uri: str | None) -> Image.Image:
    assert uri is not None
    head, _, data = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("size", "small"), [((640, 320), (160, 80)), ((20, 30), (20, 30)), ((1, 5000), (1, 160))]
)
def test_the_longest_side_is_at_most_160(
    tmp_path: Path, size: tuple[int, int], small: tuple[int, int]
) -> None:
    Image.new("RGB", size, "navy").save(tmp_path / "a.png")
    shown = thumbnail(tmp_path, "a.png")
    assert (shown.width, shown.height) == small == decoded(shown.uri).size


@pytest.mark.parametrize("mode", ["LA", "P", "CMYK", "I;16"])
def test_every_kind_of_image_is_shown(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (30, 20)).save(tmp_path / "a.tif")
    assert decoded(thumbnail(tmp_path, "a.tif").uri).mode == "RGB"


def test_what_is_clear_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert decoded(thumbnail(tmp_path, "a.png").uri).getpixel((8, 8)) == (255, 255, 255)


def test_a_photo_taken_sideways_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    shown = thumbnail(tmp_path, "a.jpg")
    assert (shown.width, shown.height) == (20, 40)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_a_file_cut_anywhere_never_stops_the_report(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"no image")
    assert thumbnail(tmp_path, path.name).note == f"{path.name}: no known image format"
    Image.effect_noise((40, 30), 80).convert("RGB").save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        shown = thumbnail(tmp_path, path.name)
        assert (shown.uri is None) == bool(shown.note)


def test_missing_images_are_notes(tmp_path: Path) -> None:
    assert thumbnail(tmp_path, "lost.jpg").note == "lost.jpg: no such file"
    assert thumbnail(tmp_path, None).note == "no image"
    (tmp_path / "folder").mkdir()
    assert thumbnail(tmp_path, "folder").note == "folder: Is a directory"
