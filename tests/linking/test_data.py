"""Batches hold the rows that were written, whatever the store's order, images or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmoe.errors import FeatureStoreError
from mmoe.features.shards import FeatureRow
from mmoe.linking.data import LinkingData
from mmoe.linking.sides import FeatureSide, as_stored, features_of_rows
from mmoe.model.features import FeatureWidths

from tests.stores import (
    CPU,
    FEATURE_CONFIG,
    IMAGE_COLUMNS,
    TEXT_COLUMNS,
    Toy,
    open_toy,
    records_of,
    rows_of,
    write_part,
    write_store,
)

ROWS = rows_of(Toy())


def assert_row(found: torch.Tensor, written: FeatureRow, column: str) -> None:
    wanted = getattr(written, column)
    assert found.dtype == torch.float32
    assert np.array_equal(found.numpy(), wanted.astype(np.float32))


@pytest.mark.parametrize("side", ["mention", "entity"])
def test_gathering_gives_the_rows_that_were_written(data: LinkingData, side: str) -> None:
    features = data.mention_side if side == "mention" else data.entity_side
    records = [5, 0, 13, 5, 2, *range(6, 13)]
    batch = features.gather(torch.tensor(records), CPU)
    assert batch.image is not None
    assert batch.image_pooled_BP is not None
    assert batch.has_image_B is not None
    texts = torch.split(batch.text.values_TC, batch.text.lengths_B.tolist())
    images = torch.split(batch.image.values_TC, batch.image.lengths_B.tolist())
    missing = 0
    for i, record in enumerate(records):
        text, image = ROWS[f"{side}_text"][record], ROWS[f"{side}_image"][record]
        assert_row(texts[i], text, "tokens")
        assert_row(batch.text_pooled_BP[i], text, "pooled")
        assert_row(batch.name_pooled_BP[i], text, "name_pooled")
        assert bool(batch.has_image_B[i]) == (image.tokens is not None)
        if image.tokens is None:
            missing += 1
            assert images[i].shape == (1, 7)  # one placeholder
            assert torch.isfinite(batch.image_pooled_BP[i]).all()
        else:
            assert_row(images[i], image, "tokens")
            assert_row(batch.image_pooled_BP[i], image, "pooled")
    assert 0 < missing < len(records)


def test_a_batch_without_any_image_has_placeholders_only(data: LinkingData) -> None:
    absent = [i for i, row in enumerate(ROWS["mention_image"]) if row.tokens is None]
    batch = data.mention_side.gather(torch.tensor(absent), CPU)
    assert batch.image is not None
    assert batch.image.lengths_B.tolist() == [1] * len(absent)
    assert not batch.image.values_TC.any()


def test_a_text_only_store_has_no_images(tmp_path: Path) -> None:
    data = open_toy(tmp_path, Toy(images=False))
    batch = data.entity_side.gather(torch.arange(3), CPU)
    assert (batch.image, batch.image_pooled_BP, batch.has_image_B) == (None, None, None)
    assert data.widths == FeatureWidths(10, 6, 0, 0, joint=True)
    assert len(data.parts) == 2


def test_widths_are_the_stores(data: LinkingData) -> None:
    assert data.widths == FeatureWidths(10, 6, 7, 6, joint=True)


def test_nil_mentions_are_in_no_split(data: LinkingData) -> None:
    linkable = torch.cat([data.linkable(split) for split in ("train", "valid", "test")])
    assert sorted(linkable.tolist()) == list(range(34))
    assert data.gold[34:].tolist() == [-1, -1]
    assert {data.mentions[i].split for i in data.linkable("valid").tolist()} == {"valid"}


def test_gold_points_at_the_entity(data: LinkingData) -> None:
    mentions = data.linkable("test")
    found = [data.entities[i].qid for i in data.gold_of(mentions).tolist()]
    assert found == [data.mentions[i].gold_qid for i in mentions.tolist()]


@pytest.mark.parametrize("size", [1, 5, 14, 100])
def test_batches_cover_all_rows_in_order(data: LinkingData, size: int) -> None:
    everything = torch.arange(14)
    batches = list(data.entity_side.batches(everything, size, CPU))
    assert [len(batch) for batch in batches][:-1] == [size] * (len(batches) - 1)
    whole = data.entity_side.gather(everything, CPU)
    assert torch.equal(torch.cat([b.text_pooled_BP for b in batches]), whole.text_pooled_BP)
    tokens = torch.cat([b.text.values_TC for b in batches])
    assert torch.equal(tokens, whole.text.values_TC)


def test_a_record_that_was_never_encoded_is_named(tmp_path: Path) -> None:
    mentions, entities = records_of(Toy(entities=15))
    store = write_store(tmp_path, Toy())
    with pytest.raises(FeatureStoreError, match="features of Q14 are missing"):
        LinkingData.open(mentions[:10], entities, store, FEATURE_CONFIG)


def test_features_of_other_settings_name_the_setting(tmp_path: Path) -> None:
    store = write_store(tmp_path, Toy())
    rule = "made with max_text_length = 8, params.yaml says 50"
    with pytest.raises(FeatureStoreError, match=rule):
        LinkingData.open(*records_of(Toy()), store, {**FEATURE_CONFIG, "max_text_length": 50})


def test_sides_of_different_weights_are_an_error(tmp_path: Path) -> None:
    store = write_store(tmp_path, Toy())
    for shard in (store / "entity_text").iterdir():
        shard.unlink()
    write_part(store / "entity_text", ROWS["entity_text"], TEXT_COLUMNS, fingerprint="another")
    with pytest.raises(FeatureStoreError, match="encoded with different weights"):
        LinkingData.open(*records_of(Toy()), store, FEATURE_CONFIG)


def test_rows_in_memory_equal_those_of_a_store_of_8_bit_integers(tmp_path: Path) -> None:
    for part, columns in (("entity_text", TEXT_COLUMNS), ("entity_image", IMAGE_COLUMNS)):
        int8 = replace(columns, dtype="int8")
        write_part(tmp_path / part, ROWS[part], int8, dtype="int8")
    _, entities = records_of(Toy())
    stored = FeatureSide.of_entities(tmp_path, entities, {"dtype": "int8"})
    wanted = stored.gather(stored.everything, CPU)
    both = [as_stored(ROWS[part], "int8") for part in ("entity_text", "entity_image")]
    found = features_of_rows(both[0], both[1], stored.widths, stored.strings, CPU)
    plain = features_of_rows(
        ROWS["entity_text"], ROWS["entity_image"], stored.widths, stored.strings, CPU
    )
    assert found.image is not None
    assert wanted.image is not None
    assert torch.equal(found.text.values_TC, wanted.text.values_TC)
    assert torch.equal(found.image.values_TC, wanted.image.values_TC)
    assert torch.equal(found.text_pooled_BP, wanted.text_pooled_BP)
    assert not torch.equal(found.text.values_TC, plain.text.values_TC)
