"""Images that are missing or broken are masked and named; the others are encoded all the same."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import EncodeSummary
from mmoe.encoders.rows import ImageError, load_image
from mmoe.features.shards import ABSENT, OK, UNREADABLE, open_shard
from mmoe.records import ImageInput

from tests.encoders.conftest import Bench

RED = (250, 10, 20)


def saved(
    form: str, mode: str = "RGB", size: tuple[int, int] = (30, 20), **options: object
) -> bytes:
    """An image with a red left and a black right half."""
    image = Image.new("RGB", size)
    image.paste(RED, (0, 0, max(1, size[0] // 2), size[1]))
    stream = io.BytesIO()
    image.convert(mode).save(stream, form, **options)
    return stream.getvalue()


GOOD: dict[str, bytes] = {
    "plain.jpg": saved("JPEG"),
    "cmyk.jpg": saved("JPEG", "CMYK"),
    "palette.png": saved("PNG", "P"),
    "clear.png": saved("PNG", "RGBA"),
    "grey.png": saved("PNG", "L"),
    "bits.png": saved("PNG", "1"),
    "dot.png": saved("PNG", size=(1, 1)),
    "thin.png": saved("PNG", size=(3, 50)),
    "moving.gif": saved("GIF"),
    "new.webp": saved("WEBP"),
    "png-in-truth.jpg": saved("PNG"),
    "large.jpg": saved("JPEG", size=(1600, 1200)),
}
BAD: dict[str, bytes] = {
    "cut.jpg": saved("JPEG", size=(300, 200))[:-400],
    "cut.png": saved("PNG")[:60],
    "text.jpg": b"<html>not found</html>",
    "empty.jpg": b"",
    "head.jpg": saved("JPEG")[:2],
}


def listed(names: Sequence[str]) -> list[ImageInput]:
    return [ImageInput(f"of {n}", n, sha256(n.encode()).hexdigest()) for n in names]


def statuses(folder: Path) -> list[str]:
    files = [open_shard(path) for path in sorted(folder.glob("*.parquet"))]
    return [status for file in files for status in file.read(["status"])["status"].to_pylist()]


@pytest.mark.parametrize("kind", ["sample", "clip", "siglip"])
def test_bad_images_are_masked_and_named_and_the_run_goes_on(
    bench: Bench, encoders: dict[str, Encoder], kind: str
) -> None:
    files = {**GOOD, **BAD}
    names = [*files, "gone.jpg", "missing file"]
    names = names[::3] + names[1::3] + names[2::3]
    rows = listed(names)
    absent = [ImageInput("no image", None, None), ImageInput("no file", "never.jpg", None)]
    rows[3:3] = absent
    summary, table = replace(bench, encoder=encoders[kind]).images(rows, files)
    assert table.ids == tuple(row.id for row in rows)
    bad = {*BAD, "gone.jpg", "missing file"}
    wanted = [ABSENT if row in absent else UNREADABLE if row.image in bad else OK for row in rows]
    assert statuses(bench.folder / "out") == wanted
    assert table.present.tolist() == [status == OK for status in wanted]
    assert len(summary.unreadable) == len(bad)
    for name in bad:
        assert any(f"{bench.folder / 'raw' / name}: " in line for line in summary.unreadable)
    masked = ~table.present
    assert not table.pooled_NP[torch.from_numpy(masked)].any()
    assert (table.tokens.lengths_N[masked] == 0).all()


def test_an_unreadable_image_is_reported_once_in_every_run(bench: Bench) -> None:
    rows = [replace(listed(["cut.jpg"])[0], id=f"m{i}") for i in range(9)]
    rows += listed(["plain.jpg"])
    for num_kept in (0, 1):
        summary, _ = bench.images(rows, {**GOOD, **BAD})
        assert summary.num_kept == num_kept
        [line] = summary.unreadable
        assert "cut.jpg: OSError: " in line


def test_a_text_only_encoder_leaves_an_empty_table(
    bench: Bench, encoders: dict[str, Encoder]
) -> None:
    summary, table = replace(bench, encoder=encoders["bert"]).images(listed([*GOOD]), GOOD)
    assert summary == EncodeSummary(0)
    assert table.tokens.width == table.token_width == 0
    assert table.pooled_NP.shape == (0, 0)
    assert table.name_pooled_NP is None


@pytest.mark.parametrize(
    "name", [name for name in GOOD if "grey" not in name and "bits" not in name]
)
def test_an_image_is_decoded_in_its_colours(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD[name])
    image = load_image(tmp_path, name)
    assert image.mode == "RGB"
    pixels = np.asarray(image, dtype=int)
    assert abs(pixels[0, 0] - RED).max() < 25
    if image.width > 1:
        assert pixels[-1, -1].max() < 25


def test_a_large_jpeg_keeps_twice_what_encoders_take(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(GOOD["large.jpg"])
    assert min(load_image(tmp_path, "large.jpg").size) >= 448


def test_sixteen_bits_of_grey_keep_their_shades(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None]
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    pixels = np.asarray(load_image(tmp_path, "deep.png"), dtype=int)
    assert abs(pixels[0] - np.arange(256)[:, None]).max() <= 1


FORMS: list[Callable[[], bytes]] = [
    lambda: saved("JPEG"),
    lambda: saved("PNG", "P"),
    lambda: saved("GIF"),
    lambda: saved("WEBP"),
    lambda: saved("DDS"),
]


@pytest.fixture(scope="module")
def few_pixels() -> Iterator[None]:
    """A broken header that promises more than this is a decompression bomb."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
        yield


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMS), st.data())
def test_a_broken_file_raises_nothing_but_an_image_error(
    few_pixels: None,
    tmp_path_factory: pytest.TempPathFactory,
    form: Callable[[], bytes],
    data: st.DataObject,
) -> None:
    content = bytearray(form())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with contextlib.suppress(ImageError):
        assert load_image(path.parent, path.name).mode == "RGB"


def test_a_decompression_bomb_is_an_image_error(tmp_path: Path, few_pixels: None) -> None:
    (tmp_path / "bomb.png").write_bytes(saved("PNG", size=(200, 200)))
    with pytest.raises(ImageError, match=r"bomb\.png: DecompressionBombError"):
        load_image(tmp_path, "bomb.png")
