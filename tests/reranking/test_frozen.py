"""Cosines and late interaction of pairs equal a loop, and are missing where an image is."""

from __future__ import annotations

import numpy as np
import pytest

from mmoe.baselines.cosine import Means, SideVectors, Vectors
from mmoe.baselines.late_interaction import CentredTokens, LateInteraction
from mmoe.reranking.frozen import CosineFeatures, EntityCosines, LateFeatures
from mmoe.reranking.pairs import Pairs

from tests.baselines.test_late_interaction import tokens

OWN = np.array([[3, 0], [1, 1], [2, 4]])


def side(rows: int, seed: int, present: list[bool] | None) -> SideVectors:
    draw = np.random.default_rng(seed)
    text, name, image = (Vectors(draw.normal(size=(rows, 4)) + 2) for _ in range(3))
    if present is None:
        return SideVectors(text, name, None)
    return SideVectors(text, name, Vectors(image.values_NP, np.array(present)))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_cosines_and_centred_cosines_equal_a_loop() -> None:
    ours, theirs = (
        side(3, 1, [True, False, True]),
        side(5, 2, [True, True, False, True, True]),
    )
    train = side(4, 3, [True, False, True, True])
    features = CosineFeatures(EntityCosines(theirs, Means.of(train, theirs)), ours)
    kinds = train.kinds()
    found = dict(
        zip(features.names, features.of(Pairs(np.arange(3), OWN)).transpose(2, 0, 1), strict=True)
    )
    assert ours.image is not None
    assert theirs.image is not None
    for name, typical, a, b in (
        ("surface form–text", kinds["name"], ours.name, theirs.text),
        ("text–image", kinds["text"], ours.text, theirs.image),
        ("image–image", kinds["image"], ours.image, theirs.image),
    ):
        left, right = a.unit_NP, b.unit_NP
        means = (
            typical.unit_NP[typical.present()].mean(axis=0),
            right[b.present()].mean(axis=0),
        )
        for i in range(3):
            for k, j in enumerate(OWN[i]):
                both = a.present()[i] and b.present()[j]
                plain = cosine(left[i], right[j]) if both else np.nan
                centred = cosine(left[i] - means[0], right[j] - means[1]) if both else np.nan
                assert found[f"cosine, {name}"][i, k] == pytest.approx(plain, abs=1e-5, nan_ok=True)
                assert found[f"centred cosine, {name}"][i, k] == pytest.approx(
                    centred, abs=1e-5, nan_ok=True
                )


def test_a_text_only_encoder_has_no_image_features() -> None:
    ours, theirs = side(3, 1, None), side(5, 2, None)
    features = CosineFeatures(EntityCosines(theirs, Means.of(ours, theirs)), ours)
    assert not any("image" in name for name in features.names)
    assert np.isfinite(features.of(Pairs(np.arange(3), OWN))).all()


def test_late_interaction_stands_in_both_directions_and_is_missing_without_tokens() -> None:
    late = LateInteraction(tokens([2, 0, 3], 5), CentredTokens(tokens([1, 2, 0, 4, 2], 6)))
    features = LateFeatures({"text": late})
    found = features.of(Pairs(np.arange(3), OWN))
    assert found.shape == (3, 2, len(features.names))
    for i in range(3):
        np.testing.assert_array_equal(found[i], np.stack(late.directions(i, OWN[i]), axis=-1))
    assert np.isnan(found[1]).all()  # the mention has none
    assert np.isnan(found[2, 0]).all()  # the entity has none
    assert np.isfinite(found[2, 1]).all()
