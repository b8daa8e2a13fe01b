"""encode.keep_padding: the states that published code computes with, behind real tokens and images."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mmoe.encoders.base import Encoder
from mmoe.encoders.rows import encode_text_rows
from mmoe.errors import FeatureStoreError
from mmoe.features.store import check_feature_config, read_features
from mmoe.records import ImageInput, TextInput

from tests.encoders.conftest import Bench

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


def test_a_missing_or_broken_image_has_the_states_of_zeros(bench: Bench) -> None:
    stream, params = io.BytesIO(), bench.params.model_copy(update={"keep_padding": True})
    Image.effect_noise((24, 24), 90).convert("RGB").save(stream, "PNG")
    rows = [ImageInput("1", None, None), *(ImageInput(n, n, n * 64) for n in ("a", "b"))]
    padding = replace(bench, params=params)
    _, table = padding.images(rows, {"a": stream.getvalue(), "b": b"no image"})
    assert table.padded
    assert table.present.tolist() == [False, True, False]
    assert len(set(table.tokens.lengths_N.tolist())) == 1
    with torch.inference_mode():
        pixels = torch.zeros(1, 3, 24, 24)
        zeros = bench.encoder.model.get_image_features(pixel_values=pixels)
    for row in (0, 2):
        tokens = table.tokens.gather(np.array([row]))
        torch.testing.assert_close(tokens.float(), zeros.last_hidden_state[0], atol=2e-3, rtol=2e-3)
        pooled = table.pooled_NP[row].float()
        torch.testing.assert_close(pooled, zeros.pooler_output[0], atol=2e-3, rtol=2e-3)
    assert torch.equal(read_features(bench.folder / "out").pooled_NP, table.pooled_NP)


def test_a_store_says_whether_it_holds_padding(bench: Bench) -> None:
    padded = bench.params.model_copy(update={"keep_padding": True})
    for each, other in ((bench.params, padded), (padded, bench.params)):
        _, table = replace(bench, params=each).texts(TEXTS)
        assert table.padded is each.keep_padding
        wanted = {**other.feature_config, "encoder": bench.encoder.name}
        with pytest.raises(
            FeatureStoreError, match=f"keep_padding = {table.padded}, .* {not table.padded}"
        ):
            check_feature_config(table, bench.folder, wanted)
