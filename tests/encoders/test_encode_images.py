"""Images that are missing or broken are masked and named; the others are encoded all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import EncodeSummary, MaskedImage
from mmoe.encoders.rows import encode_image_rows
from mmoe.features.shards import ABSENT, OK, UNREADABLE, open_shard
from mmoe.images import decode_image
from mmoe.records import ImageInput

from tests.encoders.conftest import SEEING, Bench
from tests.pictures import BAD, GOOD, LIMIT, encoded, noise


def listed(names: Sequence[str]) -> list[ImageInput]:
    return [ImageInput(f"of {n}", n, sha256(n.encode()).hexdigest()) for n in names]


def statuses(folder: Path) -> list[str]:
    files = [open_shard(path) for path in sorted(folder.glob("*.parquet"))]
    return [status for file in files for status in file.read(["status"])["status"].to_pylist()]


@pytest.mark.parametrize("kind", SEEING)
def test_bad_images_are_masked_and_listed_and_the_run_goes_on(
    bench: Bench, encoders: dict[str, Encoder], kind: str
) -> None:
    files = GOOD | {name: content for name, (content, _) in BAD.items()}
    names = [*files, "gone.jpg", "missing file"]
    names = names[::3] + names[1::3] + names[2::3]
    rows = listed(names)
    absent = [ImageInput("no image", None, None), ImageInput("no file", "never.jpg", None)]
    rows[3:3] = absent
    params = bench.params.model_copy(update={"max_pixels": LIMIT})
    summary, table = replace(bench, encoder=encoders[kind], params=params).images(rows, files)
    assert table.ids == tuple(row.id for row in rows)
    reasons = {name: reason for name, (_, reason) in BAD.items()}
    reasons |= dict.fromkeys(("gone.jpg", "missing file"), "no such file")
    wanted = [
        ABSENT if row in absent else UNREADABLE if row.image in reasons else OK for row in rows
    ]
    assert statuses(bench.folder / "out") == wanted
    assert table.present.tolist() == [status == OK for status in wanted]
    masked = [MaskedImage(name, reason, (f"of {name}",)) for name, reason in reasons.items()]
    masked.append(MaskedImage("never.jpg", "no such file", ("no file",)))
    assert list(summary.masked) == sorted(masked, key=lambda image: image.image)
    masked_rows = ~table.present
    assert not table.pooled_NP[torch.from_numpy(masked_rows)].any()
    assert (table.tokens.lengths_N[masked_rows] == 0).all()


def test_an_unreadable_image_is_listed_in_every_run_with_all_that_show_it(bench: Bench) -> None:
    """Of equal bytes one is tried; whatever the name of the file, all are listed."""
    [cut] = listed(["cut.jpg"])
    rows = [replace(cut, id=f"m{i}") for i in range(9)]
    rows += [replace(cut, id="e", image="copy.jpg"), *listed(["plain.jpg"])]
    content, reason = BAD["cut.jpg"]
    for num_kept in (0, 1):
        summary, _ = bench.images(rows, {**GOOD, "cut.jpg": content, "copy.jpg": content})
        assert summary.num_kept == num_kept
        assert summary.masked == (
            MaskedImage("copy.jpg", reason, ("e",)),
            MaskedImage("cut.jpg", reason, tuple(f"m{i}" for i in range(9))),
        )


def test_another_limit_decides_anew_which_images_are_masked(bench: Bench) -> None:
    rows = listed(["plain.jpg", "thin.png"])
    for limit, present in ((LIMIT, [True, True]), (150, [False, True]), (600, [True, True])):
        params = bench.params.model_copy(update={"max_pixels": limit})
        summary, table = replace(bench, params=params).images(rows, GOOD)
        assert table.present.tolist() == present
        assert [image.image for image in summary.masked] == ["plain.jpg"][: present.count(False)]


def test_a_text_only_encoder_leaves_an_empty_table(
    bench: Bench, encoders: dict[str, Encoder]
) -> None:
    summary, table = replace(bench, encoder=encoders["bert"]).images(listed([*GOOD]), GOOD)
    assert summary == EncodeSummary(0)
    assert table.tokens.width == table.token_width == 0
    assert table.pooled_NP.shape == (0, 0)
    assert table.name_pooled_NP is None


@pytest.mark.parametrize("kind", SEEING)
def test_features_are_those_of_the_image_upright_and_on_white(
    encoders: dict[str, Encoder], kind: str
) -> None:
    """Bit for bit, and not those of the pixels as they stand in the file."""
    photo, exif, mask = noise((50, 30)), Image.Exif(), Image.new("L", (50, 30))
    exif[ExifTags.Base.Orientation] = 6
    mask.paste(255, (10, 5, 40, 25))
    on_white = Image.composite(photo, Image.new("RGB", photo.size, "white"), mask)
    lying, clear = photo.transpose(Image.Transpose.ROTATE_90), photo.copy()
    clear.putalpha(mask)
    for content, wanted, as_it_stands in (
        (encoded(lying, "PNG", exif=exif), photo, lying),
        (encoded(clear, "PNG"), on_white, photo),
    ):
        images = [decode_image(content, LIMIT), wanted, as_it_stands]
        found, right, wrong = encode_image_rows(encoders[kind], images, 8)
        np.testing.assert_array_equal(found.tokens, right.tokens)
        np.testing.assert_array_equal(found.pooled, right.pooled)
        assert found.pooled is not None
        assert (found.pooled != wrong.pooled).any()


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (3, 701)])
@pytest.mark.parametrize("kind", SEEING)
def test_an_extremely_long_image_is_encoded(
    encoders: dict[str, Encoder], kind: str, size: tuple[int, int]
) -> None:
    encoder: Any = encoders[kind]
    image = noise(size)
    assert torch.isfinite(encoder.encode_images([image]).pooled_BP).all()


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (3, 701), (3, 96)])
def test_of_an_extremely_long_image_only_the_middle_is_scaled_for_a_square(
    encoders: dict[str, Encoder], monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """It gives what the whole gives."""
    encoder: Any = encoders["clip"]
    image, scaled = noise(size), []
    whole = encoder.processor(images=[image], return_tensors="pt")["pixel_values"]
    resize = encoder.processor.resize

    def watched(image: Any, **options: Any) -> Any:
        scaled.append(max(image.shape))
        return resize(image, **options)

    monkeypatch.setattr(encoder.processor, "resize", watched)
    prepared = encoder.prepare_image(image)["pixel_values"]
    torch.testing.assert_close(prepared, whole, atol=0.06, rtol=0)
    assert max(scaled) <= 32 * min(size) + 1


def test_a_jpeg_keeps_more_for_an_encoder_that_takes_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"photo.jpg": encoded(noise((900, 900)), "JPEG")}
    for side, jpeg_side in ((24, 448), (300, 600)):
        monkeypatch.setattr(bench.encoder.model.config.vision_config, "image_size", side)
        assert bench.encoder.jpeg_side == jpeg_side
        _, table = replace(bench, folder=bench.folder / str(side)).images(listed([*files]), files)
        photo = decode_image(files["photo.jpg"], LIMIT, jpeg_side)
        [row] = encode_image_rows(bench.encoder, [photo], 8)
        np.testing.assert_array_equal(table.pooled_NP[0].numpy(), row.pooled)
