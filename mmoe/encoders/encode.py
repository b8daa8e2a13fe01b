"""Encodes one part of a data set: texts around their names, images that may be missing or broken."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import PIL
import torch
import transformers
from PIL import Image

import mmoe.images
from mmoe import surface_forms
from mmoe.code_fingerprint import tree_key
from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders import base, kinds, layout, prompted, rows, sentence, tuned
from mmoe.encoders.base import Encoder, Prepared
from mmoe.encoders.rows import (
    SMALLEST_BATCH,
    encode_prepared_rows,
    encode_text_rows,
)
from mmoe.features.part import Part, write_part
from mmoe.features.shards import DTYPE, KEEP_PADDING, TUNED, UNREADABLE, FeatureRow, PartColumns
from mmoe.files import content_key
from mmoe.images import ImageError, load_image, read_image, reading_problem
from mmoe.records import ImageInput, TextInput, read_records

# What decides the features' values; registry, source and this module say what is encoded, and from where.
DECIDING = (
    *(base, kinds, layout, prompted, rows, sentence, tuned),
    *(mmoe.images, surface_forms),
)
CODE = tree_key(Path(str(module.__file__)) for module in DECIDING)


@dataclass(frozen=True)
class MaskedImage:
    """An image that could not be read.

    Attributes:
        image: file relative to the data set's raw folder.
        reason: as `mmoe check` says it.
        ids: the mentions or entities that are encoded without it.
    """

    image: str
    reason: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class EncodeSummary:
    """How many rows a part has, how many of them an earlier run had encoded, which images failed and why."""

    num_rows: int
    num_kept: int = 0
    masked: tuple[MaskedImage, ...] = ()


def encode_texts(
    table: Path,
    out: Path,
    work: Path,
    params: EncodeParams,
    runtime: RuntimeParams,
    encoder: Encoder,
    *,
    around_name: bool,
    keep_tokens: bool = True,
    only: Sequence[int] | None = None,
) -> EncodeSummary:
    """Encodes a table of `TextInput`: token features, pooled embedding, pooled embedding of the name.

    Args:
        out: folder of the part's shards.
        work: folder in which finished shards survive a kill and the next run.
        around_name: see `encode_text_rows`.
        keep_tokens: False leaves the token features out, which take most of the space: for those who
            compare texts and match no tokens.
        only: see `write_part`.
    """
    texts, encoder = read_records(table, TextInput), encoder.for_side(around_name)
    length, budget = params.max_text_length, params.description_budget
    # A bad length is an error even where nothing is to be encoded.
    encoder.layout(length, budget, around_name)

    def encode(new: Sequence[TextInput]) -> list[FeatureRow]:
        size = runtime.encode_batch_size
        encoded = encode_text_rows(
            encoder, new, length, budget, size, around_name, params.keep_padding
        )
        return encoded if keep_tokens else [replace(row, tokens=None) for row in encoded]

    token_width, pooled_width = encoder.text_widths
    columns = PartColumns("text", token_width if keep_tokens else 0, pooled_width, params.dtype)
    metadata = _metadata(params, encoder) | {
        "max_text_length": length,
        "description_budget": budget,
        "around_name": around_name,
        "keep_tokens": keep_tokens,
    }
    made_with, earlier = _made_with(encoder), runtime.earlier_bytes
    part = Part(out, work, runtime.shard_rows, columns, metadata, made_with, earlier)
    kept = write_part(
        texts, part, lambda r: content_key(r.name, r.body, r.description), encode, only
    )
    return EncodeSummary(len(texts), kept)


def encode_images(
    table: Path,
    out: Path,
    work: Path,
    params: EncodeParams,
    runtime: RuntimeParams,
    encoder: Encoder,
    raw: Path,
    *,
    of_mentions: bool,
    only: Sequence[int] | None = None,
) -> EncodeSummary:
    """Encodes a table of `ImageInput`; a text-only encoder leaves an empty table.

    An image that can't be read, or is larger than `encode.max_pixels`, is reported and stored as unreadable,
    so that the model masks it.

    Args:
        only: see `write_part`.
    """
    encoder = encoder.for_side(of_mentions)
    listed = read_records(table, ImageInput) if encoder.sees_images else []
    limits = params.max_pixels, encoder.jpeg_side
    reasons: dict[str, str] = {}  # by the hash of the image's bytes: several rows may show them

    def prepare(row: ImageInput) -> Prepared | None:
        image = _load(row, raw, limits, reasons)
        return None if image is None else encoder.prepare_image(image)

    def encode(new: Sequence[ImageInput]) -> list[FeatureRow]:
        # Only so many images are held at a time.
        size = max(runtime.encode_batch_size, SMALLEST_BATCH)
        done: list[FeatureRow] = []
        for prepared in _ahead(prepare, [new[i : i + size] for i in range(0, len(new), size)]):
            done += encode_prepared_rows(encoder, prepared, size, params.keep_padding)
        return [
            replace(features, status=UNREADABLE) if row.sha256 in reasons else features
            for row, features in zip(new, done, strict=True)
        ]

    columns, metadata = (
        PartColumns("image", *encoder.image_widths, params.dtype),
        _metadata(params, encoder),
    )
    made_with = _made_with(encoder) | {"max_pixels": params.max_pixels}
    earlier = runtime.earlier_bytes
    part = Part(out, work, runtime.shard_rows, columns, metadata, made_with, earlier)
    kept = write_part(listed, part, lambda r: r.sha256 or "" if r.image else "", encode, only)
    return EncodeSummary(len(listed), kept, _masked(listed, raw, reasons))


def _ahead(
    prepare: Callable[[ImageInput], Prepared | None], batches: Sequence[Sequence[ImageInput]]
) -> Iterator[list[Prepared | None]]:
    """Prepares each batch while the one before it is encoded."""
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as threads:
        coming = [threads.submit(prepare, row) for batch in batches[:1] for row in batch]
        for following in [*batches[1:], []]:
            ready, coming = coming, [threads.submit(prepare, row) for row in following]
            yield [future.result() for future in ready]


def _load(
    row: ImageInput, raw: Path, limits: tuple[int, int], reasons: dict[str, str]
) -> Image.Image | None:
    if row.image is None or row.sha256 is None:
        return None
    try:
        return load_image(raw, row.image, *limits)
    except ImageError as error:
        reasons[row.sha256] = str(error)
        return None


def _masked(
    rows: Sequence[ImageInput], raw: Path, reasons: Mapping[str, str]
) -> tuple[MaskedImage, ...]:
    """The images that could not be read, by stage ingest or now, sorted."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.image is None or (row.sha256 is not None and row.sha256 not in reasons):
            continue
        reason = _unread(raw, row.image) if row.sha256 is None else reasons[row.sha256]
        found.setdefault((row.image, reason), []).append(row.id)
    return tuple(MaskedImage(*names, tuple(ids)) for names, ids in sorted(found.items()))


def _unread(raw: Path, image: str) -> str:
    """Why stage ingest could not read an image."""
    try:
        read_image(raw, image)
    except OSError as error:
        return reading_problem(raw, error)
    return "could not be read by stage ingest; run that again"


def _metadata(params: EncodeParams, encoder: Encoder) -> dict[str, Any]:
    """The settings that decide the features."""
    padding = {KEEP_PADDING: True} if params.keep_padding else {}
    dtype = {DTYPE: params.dtype} if params.dtype != "float16" else {}
    learned = {} if encoder.tuned is None else {TUNED: encoder.tuned}
    return (
        padding
        | dtype
        | learned
        | {
            "encoder": encoder.name,
            "fingerprint": encoder.fingerprint,
            "joint": encoder.joint,
            "precision": params.precision,
        }
    )


def _made_with(encoder: Encoder) -> dict[str, Any]:
    """What else decides their bits, and whether kept rows may be used; stands in no output."""
    versions = {module.__name__: module.__version__ for module in (torch, transformers, PIL)}
    return {**versions, "device": encoder.device.type, "code": CODE}
