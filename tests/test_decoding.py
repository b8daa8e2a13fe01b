"""Every kind of image comes out as a viewer shows it, or with a reason why it can't."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from mmoe.datasets.fingerprints import fingerprint_images
from mmoe.images import ImageError, as_shown, decode_image, load_image

from tests.pictures import BAD, GOOD, LIMIT, RED, bomb, encoded, noise, saved

TURN = Image.Transpose
# How a photo lies in a file of this orientation.
LYING = {
    1: None,
    2: TURN.FLIP_LEFT_RIGHT,
    3: TURN.ROTATE_180,
    4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE,
    6: TURN.ROTATE_90,
    7: TURN.TRANSVERSE,
    8: TURN.ROTATE_270,
}
WHITE = (255, 255, 255)


def decoded(content: bytes) -> np.ndarray:
    """RGB [H, W, 3]."""
    return np.asarray(decode_image(content, LIMIT), dtype=int)


def greys(content: bytes) -> list[int]:
    """The first row of an image that has no colours."""
    pixels = decoded(content)[0]
    assert (pixels == pixels[:, :1]).all()
    return [int(grey) for grey in pixels[:, 0]]


def oriented(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = number
    return exif


@pytest.mark.parametrize(
    "name", [name for name in GOOD if "grey" not in name and "bits" not in name]
)
def test_an_image_is_decoded_in_its_colours(name: str) -> None:
    image = decode_image(GOOD[name], LIMIT)
    assert image.mode == "RGB"
    pixels = np.asarray(image, dtype=int)
    assert abs(pixels[0, 0] - RED).max() < 25
    if image.width > 1:
        assert pixels[-1, -1].max() < 25


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("number", LYING)
def test_a_photo_stands_upright(number: int, form: str) -> None:
    photo, turn = noise((7, 5)), LYING[number]
    lying = photo if turn is None else photo.transpose(turn)
    options = {"lossless": True} if form == "WEBP" else {}
    content = encoded(lying, form, exif=oriented(number), **options)
    np.testing.assert_array_equal(decoded(content), np.asarray(photo))


def test_a_large_jpeg_stands_upright_and_keeps_twice_what_encoders_take() -> None:
    photo = noise((500, 460)).resize((1000, 920))
    lying, plain = encoded(photo, "JPEG", exif=oriented(6)), encoded(photo, "JPEG")
    upright = decode_image(lying, LIMIT)
    assert upright.size == (460, 500)
    turned = decode_image(plain, LIMIT).transpose(TURN.ROTATE_270)
    np.testing.assert_array_equal(np.asarray(upright), np.asarray(turned))
    assert decode_image(plain, LIMIT, jpeg_side=512).size == photo.size


def test_broken_metadata_spoil_no_image() -> None:
    photo = noise((9, 8))
    for exif in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\x99" * 40):
        np.testing.assert_array_equal(decoded(encoded(photo, "PNG", exif=exif)), np.asarray(photo))
        assert decode_image(encoded(photo, "JPEG", exif=exif), LIMIT).size == photo.size


def test_cmyk_in_the_form_of_ycck_has_its_colours() -> None:
    """Pillow writes none: here luminance and colours stand in the place of inks, and the mark is changed."""
    inks = Image.new("RGB", (16, 16), tuple(255 - value for value in RED)).convert("YCbCr")
    channels = [channel.point(lambda value: 255 - value) for channel in inks.split()]
    content = bytearray(
        encoded(Image.merge("CMYK", (*channels, Image.new("L", (16, 16)))), "JPEG", quality=95)
    )
    mark = content.index(b"Adobe") + 11
    assert content[mark] == 0
    content[mark] = 2
    assert abs(decoded(bytes(content))[8, 8] - RED).max() < 25


DEEP = np.array([[0, 257 * 10, 257 * 200, 65535]])


@pytest.mark.parametrize(
    "content",
    [
        encoded(Image.fromarray(DEEP.astype("<u2")), "PNG"),
        encoded(Image.fromarray(DEEP.astype("<u2")), "TIFF"),
        encoded(Image.fromarray(DEEP.astype(">u2")), "TIFF"),
        b"P5 4 1 65535\n" + DEEP.astype(">u2").tobytes(),
        encoded(Image.fromarray(DEEP.astype("<i4")), "TIFF"),
        encoded(Image.fromarray(DEEP.astype("<f4")), "TIFF"),
    ],
    ids=["png", "tiff", "big-endian", "pgm", "int32", "float"],
)
def test_greys_of_sixteen_bits_are_scaled_and_not_clipped(content: bytes) -> None:
    assert greys(content) == [0, 10, 200, 255]


def test_a_dark_image_of_sixteen_bits_stays_dark() -> None:
    dark = np.array([[0, 200]])
    assert greys(b"P5 2 1 65535\n" + dark.astype(">u2").tobytes()) == [0, 1]
    assert greys(encoded(Image.fromarray(dark.astype("<u2")), "PNG")) == [0, 1]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0, 0.2, 1], [0, 51, 255]),
        ([0, 99.6, 250], [0, 100, 250]),
        ([-1, 0, 1], [0, 128, 255]),
        ([1e6, 1e6, 2e6], [0, 0, 255]),
        ([np.nan, 0.6, np.inf], [0, 153, 0]),
        ([7e9, 7e9, 7e9], [0, 0, 0]),
        ([np.nan, np.nan, np.nan], [0, 0, 0]),
    ],
)
def test_floats_are_scaled(values: list[float], wanted: list[int]) -> None:
    assert greys(encoded(Image.fromarray(np.array([values], np.float32)), "TIFF")) == wanted


def on_white(layer: Image.Image) -> np.ndarray:
    """RGBA on white, worked out in floats."""
    pixels = np.asarray(layer, dtype=float)
    alpha = pixels[..., 3:] / 255
    return np.asarray(pixels[..., :3] * alpha + 255 * (1 - alpha))


def layer() -> Image.Image:
    """All degrees of transparency; under clear pixels too there are colours."""
    image = noise((32, 8))
    image.putalpha(Image.fromarray(np.arange(256, dtype=np.uint8).reshape(8, 32)))
    return image


@pytest.mark.parametrize(
    ("mode", "form"),
    [*((mode, form) for mode in ("RGBA", "LA") for form in ("PNG", "TIFF", "WEBP")), ("PA", None)],
)
def test_transparency_lies_on_white(mode: str, form: str | None) -> None:
    image = layer().convert(mode)
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    found = as_shown(image)
    if form is not None:
        found = decode_image(encoded(image, form, **options), LIMIT)
    assert abs(np.asarray(found, dtype=int) - on_white(image.convert("RGBA"))).max() <= 1


def test_a_palette_with_transparency_lies_on_white() -> None:
    """One clear colour, and a degree for every colour."""
    image = noise((8, 8)).quantize(4)
    indices = np.asarray(image)
    colours = np.asarray(image.convert("RGB"), dtype=int)
    for clear in (1, bytes([255, 0, 255, 255])):
        for form in ("PNG", "GIF") if clear == 1 else ("PNG",):
            found = decoded(encoded(image, form, transparency=clear))
            assert (found[indices == 1] == WHITE).all()
            np.testing.assert_array_equal(found[indices != 1], colours[indices != 1])
    half = decoded(encoded(image, "PNG", transparency=bytes([255, 128, 255, 255])))
    wanted = colours * (128 / 255) + 255 * (127 / 255)
    assert abs(half - wanted)[indices == 1].max() <= 1


@pytest.mark.parametrize(
    ("image", "clear"),
    [
        (Image.fromarray(np.array([[5, 90]], np.uint8)), 5),
        (Image.fromarray(np.array([[5, 90 * 257]], np.uint16)), 5),
        (Image.fromarray(np.array([[[5, 5, 5], [90, 90, 90]]], np.uint8)), (5, 5, 5)),
    ],
    ids=["L", "I;16", "RGB"],
)
def test_one_clear_colour_lies_on_white(image: Image.Image, clear: int | tuple[int, ...]) -> None:
    assert greys(encoded(image, "PNG", transparency=clear)) == [255, 90]


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_a_moving_image_the_first_frame_counts(form: str) -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in (RED, "blue", "green")]
    options = {"lossless": True} if form == "WEBP" else {}
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)
    with Image.open(io.BytesIO(content)) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert (decoded(content) == RED).all()


def test_the_limit_of_pixels_is_the_callers_and_not_pillows() -> None:
    usual = int(Image.MAX_IMAGE_PIXELS or 0)
    said = "20,000 × 20,000 pixels are more than encode.max_pixels = 399999999 allows"
    with pytest.raises(ImageError) as error:
        decode_image(bomb(), 20_000**2 - 1)
    assert str(error.value) == said
    with pytest.raises(ImageError, match="100 × 100 pixels"):
        decode_image(encoded(noise((100, 100)), "GIF"), 9_999)
    assert decode_image(encoded(noise((100, 100)), "GIF"), 10_000).size == (100, 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
        assert decode_image(saved("PNG"), LIMIT).size == (30, 20)
        assert Image.MAX_IMAGE_PIXELS == 10
    assert usual == Image.MAX_IMAGE_PIXELS


def test_encoding_and_checking_say_the_same_of_what_is_wrong(tmp_path: Path) -> None:
    contents = {name: content for name, (content, _) in BAD.items()} | GOOD
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    wanted = {name: reason for name, (_, reason) in BAD.items()} | dict.fromkeys(GOOD)
    wanted |= {"gone.jpg": "no such file", "folder": "Is a directory"}
    checked = fingerprint_images(tmp_path, set(wanted), LIMIT)
    assert {image.image: image.problem for image in checked} == wanted
    for name, reason in wanted.items():
        if reason is None:
            assert load_image(tmp_path, name, LIMIT).mode == "RGB"
        else:
            with pytest.raises(ImageError) as error:
                load_image(tmp_path, name, LIMIT)
            assert str(error.value) == reason


def test_what_looks_alike_looks_alike_lying_and_on_white(tmp_path: Path) -> None:
    """The hash by which leaks are found is that of the image as it is shown."""
    photo = noise((6, 6)).resize((60, 40), Image.Resampling.BICUBIC)
    clear = Image.new("RGBA", (60, 80), (0, 0, 0, 0))
    clear.paste(photo, (0, 0))
    framed = Image.new("RGB", (60, 80), "white")
    framed.paste(photo, (0, 0))
    for name, image, number in (
        ("photo.png", photo, 1),
        ("lying.png", photo.transpose(TURN.ROTATE_90), 6),
        ("clear.png", clear, 1),
        ("framed.png", framed, 1),
    ):
        image.save(tmp_path / name, exif=oriented(number))
    names = {"photo.png", "lying.png", "clear.png", "framed.png"}
    hashes = {row.image: row.phash for row in fingerprint_images(tmp_path, names, LIMIT)}
    assert hashes["photo.png"] == hashes["lying.png"] != hashes["clear.png"] == hashes["framed.png"]


FORMS: list[Callable[[], bytes]] = [
    lambda: saved("JPEG"),
    lambda: saved("PNG", "P"),
    lambda: saved("GIF"),
    lambda: saved("WEBP"),
    lambda: saved("DDS"),
    lambda: saved("TIFF", "LA"),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMS), st.data())
def test_a_broken_file_raises_nothing_but_an_image_error(
    form: Callable[[], bytes], data: st.DataObject
) -> None:
    content = bytearray(form())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(1, len(content)))])
    said = set()
    for _ in range(2):
        try:
            said.add(decode_image(cut, 4000).mode)
        except ImageError as error:
            said.add(str(error))
    assert len(said) == 1
    assert "0x" not in said.pop()
