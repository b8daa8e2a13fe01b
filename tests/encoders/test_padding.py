"""encode.keep_padding: the states that published code computes with, behind real tokens and images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import encode_images, encode_texts
from mmoe.encoders.rows import encode_image_rows, encode_text_rows
from mmoe.errors import FeatureStoreError
from mmoe.features.store import check_feature_config, read_features, read_pooled
from mmoe.files import sha256_of
from mmoe.records import ImageInput, TextInput, write_records

LENGTH = 16
TEXTS = [
    TextInput("a", "jaguar", "the car runs", None),
    TextInput("b", "river", "", None),
    TextInput("c", "car", "the river of the car " * 4, "x y z"),
]


@pytest.mark.parametrize("kind", ["sample", "clip", "siglip", "bert"])
def test_texts_reach_to_the_end_and_real_tokens_stay_as_they_are(
    encoders: dict[str, Encoder], kind: str
) -> None:
    """Siglip's towers see padding in any case; elsewhere it changes no state of a real token."""
    plain = encode_text_rows(encoders[kind], TEXTS, LENGTH, 4, 8, around_name=True)
    padded = encode_text_rows(
        encoders[kind], TEXTS, LENGTH, 4, 8, around_name=True, keep_padding=True
    )
    for one, other in zip(plain, padded, strict=True):
        assert one.tokens is not None
        assert other.tokens is not None
        assert one.pooled is not None
        assert other.pooled is not None
        assert len(other.tokens) == LENGTH >= len(one.tokens)
        np.testing.assert_allclose(other.tokens[: len(one.tokens)], one.tokens, atol=4e-3)
        np.testing.assert_allclose(other.pooled, one.pooled, atol=4e-3, rtol=4e-3)


def test_a_missing_or_broken_image_has_the_states_of_zeros(
    tmp_path: Path, params: EncodeParams, runtime: RuntimeParams, encoders: dict[str, Encoder]
) -> None:
    encoder = encoders["clip"]
    Image.effect_noise((24, 24), 90).convert("RGB").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    rows = [
        ImageInput("1", None, None),
        *(ImageInput(n, f"{n}.png", sha256_of(tmp_path / f"{n}.png")) for n in ("a", "b")),
    ]
    write_records(tmp_path / "in.parquet", ImageInput, rows)
    wanted = params.model_copy(update={"keep_padding": True})
    places = tmp_path / "in.parquet", tmp_path / "out", tmp_path / "work"
    encode_images(*places, wanted, runtime, encoder, tmp_path)
    table = read_features(tmp_path / "out")
    assert table.padded
    assert table.present.tolist() == [False, True, False]
    assert len(set(table.lengths.tolist())) == 1
    with torch.inference_mode():
        zeros = encoder.model.get_image_features(pixel_values=torch.zeros(1, 3, 24, 24))
    for row in (0, 2):
        tokens = table.tokens_TC[table.offsets[row] : table.offsets[row + 1]]
        torch.testing.assert_close(tokens.float(), zeros.last_hidden_state[0], atol=2e-3, rtol=2e-3)
        pooled = table.pooled_NP[row].float()
        torch.testing.assert_close(pooled, zeros.pooler_output[0], atol=2e-3, rtol=2e-3)
    assert torch.equal(read_pooled(tmp_path / "out").pooled_NP, table.pooled_NP)


def test_a_store_says_whether_it_holds_padding(
    tmp_path: Path, params: EncodeParams, runtime: RuntimeParams, encoders: dict[str, Encoder]
) -> None:
    write_records(tmp_path / "in.parquet", TextInput, TEXTS)
    padded = params.model_copy(update={"keep_padding": True})
    tables = {}
    for each in (params, padded):
        out = tmp_path / f"out-{each.keep_padding}"
        work = tmp_path / "work"
        encode_texts(
            tmp_path / "in.parquet", out, work, each, runtime, encoders["clip"], around_name=True
        )
        tables[each.keep_padding] = read_features(out)
    assert [tables[kept].padded for kept in (False, True)] == [False, True]
    for kept, other in ((False, padded), (True, params)):
        wanted = {**other.feature_config, "encoder": encoders["clip"].name}
        with pytest.raises(FeatureStoreError, match=f"keep_padding = {kept}, .* {not kept}"):
            check_feature_config(tables[kept], tmp_path, wanted)


def test_a_text_only_encoder_has_no_states_of_an_image(encoders: dict[str, Encoder]) -> None:
    with pytest.raises(FeatureStoreError, match="text-only"):
        encode_image_rows(encoders["bert"], [None], 8, keep_padding=True)
