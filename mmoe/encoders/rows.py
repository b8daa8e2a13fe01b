"""Encodes texts and images in memory: what stage `encode` stores, and queries.

A row's features depend on the row alone: on one machine, neither padding nor what else is in the batch nor
the batch's size changes a bit of them (tests hold this for small encoders). So a mention that is encoded
alone equals the stored one. In encoders as large as CLIP ViT-B/32, libraries split a long product among
threads if the batch is small; then the last bits of float32 differ, and few of them survive in float16.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mmoe.encoders.base import Encoded, Encoder, Prepared
from mmoe.encoders.layout import TextLayout, find_focus, plain_tokens
from mmoe.features.shards import ABSENT, OK, FeatureRow
from mmoe.records import TextInput

SMALLEST_BATCH = 8  # matrix products of fewer rows add up in another order
NAME_BATCH_FACTOR = 4  # names are several times shorter than whole texts

Item = TypeVar("Item")
Features = tuple[NDArray[np.float16], NDArray[np.float16]]  # tokens [L, C], pooled [P]


def encode_text_rows(
    encoder: Encoder,
    rows: Sequence[TextInput],
    max_text_length: int,
    description_budget: int,
    batch_size: int,
    around_name: bool,
    keep_padding: bool = False,
    mixed_lengths: bool = False,
) -> list[FeatureRow]:
    """Encodes texts: token features, pooled embedding, pooled embedding of the name alone.

    Args:
        around_name: whether they are mentions' texts, with their prompt: a long body is shortened around the
            place where the name stands in it, instead of keeping its head.
        keep_padding: token features of every text up to `max_text_length`, of padding too.
        mixed_lengths: see `encode_in_length_order`.
    Returns:
        One row a text, in order.
    Raises:
        FeatureStoreError: if the encoder does not take texts of this length.
    """
    layout = encoder.layout(max_text_length, description_budget, of_mentions=around_name)
    if not rows:
        return []
    texts, names = laid_out(encoder, rows, layout, around_name)
    padded_to = max_text_length if keep_padding else None
    whole = encode_in_length_order(encoder, texts, batch_size, padded_to, mixed_lengths)
    named = [tuple(layout.name_alone(name)) for name in names]
    distinct = list(dict.fromkeys(named))  # many texts share a name
    alone = encode_in_length_order(
        encoder, distinct, batch_size * NAME_BATCH_FACTOR, None, mixed_lengths
    )
    pooled_of = {name: pooled for name, (_, pooled) in zip(distinct, alone, strict=True)}
    return [
        FeatureRow(row.id, OK, tokens, pooled, pooled_of[name])
        for row, (tokens, pooled), name in zip(rows, whole, named, strict=True)
    ]


def laid_out(
    encoder: Encoder, rows: Sequence[TextInput], layout: TextLayout, around_name: bool
) -> tuple[list[list[int]], list[list[int]]]:
    """The token ids of whole texts, as the encoder reads them, and of their names alone.

    Args:
        around_name: see `encode_text_rows`.
    """
    tokenizer = encoder.tokenizer
    names = plain_tokens(tokenizer, [row.name for row in rows])["input_ids"]
    descriptions = plain_tokens(tokenizer, [row.description or "" for row in rows])["input_ids"]
    bodies = plain_tokens(tokenizer, [row.body for row in rows], return_offsets_mapping=True)
    texts = []
    for i, row in enumerate(rows):
        focus = find_focus(row.name, row.body, bodies["offset_mapping"][i]) if around_name else None
        texts.append(layout.whole(names[i], bodies["input_ids"][i], descriptions[i], focus))
    return texts, names


def encode_image_rows(
    encoder: Encoder,
    images: Iterable[Image.Image | None],
    batch_size: int,
    keep_padding: bool = False,
) -> list[FeatureRow]:
    """Encodes RGB images: patch features and pooled embedding.

    Args:
        images: as `mmoe.images.decode_image` gives them; None for a missing one. Of an iterator one image
            at a time is held.
        keep_padding: a missing image gets the features of an all-zero one.
    Returns:
        One row an image, in order and without an id; a missing one is absent.
    Raises:
        FeatureStoreError: if there are images and the encoder is text-only.
    """
    prepared = [None if image is None else encoder.prepare_image(image) for image in images]
    return encode_prepared_rows(encoder, prepared, batch_size, keep_padding)


@torch.inference_mode()
def encode_prepared_rows(
    encoder: Encoder,
    prepared: Sequence[Prepared | None],
    batch_size: int,
    keep_padding: bool = False,
) -> list[FeatureRow]:
    """As `encode_image_rows`, of images that `Encoder.prepare_image` has scaled and normalised."""
    present = [inputs for inputs in prepared if inputs is not None]
    features: list[Features] = []
    for batch in _batches(present, batch_size):
        features += _features(encoder.encode_prepared(_filled(batch)))[: len(batch)]
    encoded, absent = iter(features), FeatureRow("", ABSENT, None, None)
    if keep_padding and len(present) < len(prepared):
        absent = FeatureRow("", ABSENT, *_features(encoder.encode_no_image())[0])
    return [absent if inputs is None else FeatureRow("", OK, *next(encoded)) for inputs in prepared]


@torch.inference_mode()
def encode_in_length_order(
    encoder: Encoder,
    texts: Sequence[Sequence[int]],
    batch_size: int,
    padded_to: int | None = None,
    mixed_lengths: bool = False,
) -> list[Features]:
    """Encodes texts of one length together, so that they see no padding; returns them as given.

    Args:
        mixed_lengths: encodes texts of different lengths together, padded: of few texts five times faster,
            but the last bits of float16 then depend on what else is in the batch.
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    done: dict[int, Features] = {}
    groups = [order] if mixed_lengths else _of_one_length(order, texts)
    for group in groups:
        for batch in _batches(group, batch_size):
            rows = [texts[i] for i in batch]
            rows = rows if mixed_lengths else _filled(rows)
            encoded = encoder.encode_texts(rows, padded_to)
            done.update(zip(batch, _features(encoded), strict=False))
    return [done[i] for i in range(len(texts))]


def _of_one_length(order: Sequence[int], texts: Sequence[Sequence[int]]) -> Iterator[Iterator[int]]:
    return (same for _, same in groupby(order, key=lambda i: len(texts[i])))


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    remaining = iter(items)
    while batch := list(islice(remaining, max(size, SMALLEST_BATCH))):
        yield batch


def _filled(batch: list[Item]) -> list[Item]:
    """The batch, brought up to SMALLEST_BATCH with repetitions of its first item."""
    return batch + batch[:1] * (SMALLEST_BATCH - len(batch))


def _features(encoded: Encoded) -> list[Features]:
    tokens = encoded.tokens_BLC.to("cpu", torch.float16).numpy()
    pooled = encoded.pooled_BP.to("cpu", torch.float16).numpy()
    return [(tokens[i, :n], pooled[i]) for i, n in enumerate(encoded.lengths_B.tolist())]
