"""A row encoded alone, in memory, equals the stored one bit for bit: so a query equals the stored mention."""

from __future__ import annotations

import io
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmoe.encoders.base import Encoder
from mmoe.encoders.rows import encode_image_rows, encode_text_rows
from mmoe.features.shards import ABSENT, FeatureRow
from mmoe.features.store import FeatureTable
from mmoe.images import decode_image
from mmoe.records import ImageInput, TextInput

from tests.encoders.conftest import KINDS, SEEING, Bench

TEXTS = [
    TextInput(f"t{i}", ("jaguar", "the river", "")[i % 3], "of the car jaguar " * i, description)
    for i, description in enumerate([None, "a car", "", "the river runs x y z"] * 5)
]


def equal_bits(found: FeatureRow, table: FeatureTable, i: int) -> None:
    tokens = table.tokens.gather(np.array([i]))
    assert found.tokens is not None
    assert found.pooled is not None
    assert found.tokens.tobytes() == tokens.numpy().tobytes()
    assert found.pooled.tobytes() == table.pooled_NP[i].numpy().tobytes()
    if table.name_pooled_NP is not None:
        assert found.name_pooled is not None
        assert found.name_pooled.tobytes() == table.name_pooled_NP[i].numpy().tobytes()


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_alone_equals_the_stored_row(
    bench: Bench, encoders: dict[str, Encoder], kind: str, around: bool
) -> None:
    encoder, runtime = encoders[kind], bench.runtime.model_copy(update={"shard_rows": 15})
    _, table = replace(bench, encoder=encoder, around=around, runtime=runtime).texts(TEXTS)
    for i, text in enumerate(TEXTS):
        [row] = encode_text_rows(encoder, [text], 16, 4, batch_size=1, around_name=around)
        assert row.id == text.id
        equal_bits(row, table, i)


@pytest.mark.parametrize("kind", SEEING)
def test_an_image_alone_equals_the_stored_row(
    bench: Bench, encoders: dict[str, Encoder], kind: str
) -> None:
    files, encoder = {}, encoders[kind]
    for i in range(11):
        stream, name = io.BytesIO(), f"{i}.{'jpg' if i % 2 else 'png'}"
        image = Image.effect_noise((600 if i == 5 else 20 + i, 30), 90).convert("RGB")
        image.save(stream, "JPEG" if i % 2 else "PNG")
        files[name] = stream.getvalue()
    listed = [
        ImageInput(name, name, sha256(content).hexdigest()) for name, content in files.items()
    ]
    _, table = replace(bench, encoder=encoder).images(listed, files)
    for i, content in enumerate(files.values()):
        absent, row = encode_image_rows(encoder, [None, decode_image(content, 10**6)], 1)
        assert absent == FeatureRow("", ABSENT, None, None)
        equal_bits(row, table, i)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_neither_the_batch_nor_its_size_changes_a_bit(
    kind: str, data: st.DataObject, encoders: dict[str, Encoder]
) -> None:
    encoder = encoders[kind]
    rows = data.draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=30))
    size = data.draw(st.sampled_from([1, 3, 8, 13, 64]))
    together = encode_text_rows(encoder, rows, 16, 4, size, around_name=True)
    for row, found in zip(rows, together, strict=True):
        [alone] = encode_text_rows(encoder, [row], 16, 4, 64, around_name=True)
        for ours, wanted in zip(vars(found).values(), vars(alone).values(), strict=True):
            np.testing.assert_array_equal(ours, wanted)
    if encoder.sees_images:
        rng = np.random.default_rng(len(rows))
        images = [Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)) for _ in rows]
        [alone] = encode_image_rows(encoder, images[-1:], 64)
        np.testing.assert_array_equal(
            encode_image_rows(encoder, images, size)[-1].tokens, alone.tokens
        )


def test_nothing_to_encode_is_no_rows(encoders: dict[str, Encoder]) -> None:
    assert encode_text_rows(encoders["clip"], [], 16, 4, 64, around_name=True) == []
    assert encode_image_rows(encoders["bert"], [None], 64) == [FeatureRow("", ABSENT, None, None)]


def test_a_long_text_is_kept_around_the_word_and_not_around_its_letters(
    encoders: dict[str, Encoder],
) -> None:
    long = TextInput("m", "car", "scars " + "of the river " * 9 + "car", None)
    short = replace(long, body="the river " + "of the river " * 3 + "car")
    found, wanted = (
        encode_text_rows(encoders["bert"], [row], 16, 0, 8, around_name=True)[0]
        for row in (long, short)
    )
    np.testing.assert_array_equal(found.tokens, wanted.tokens)
