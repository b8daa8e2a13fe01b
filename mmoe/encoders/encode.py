"""Encodes one part of a data set: texts around their names, images that may be missing or broken."""

from __future__ import annotations

from collections.abc import Sequence
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
from mmoe.encoders import base, kinds, layout, rows
from mmoe.encoders.base import Encoder
from mmoe.encoders.rows import (
    SMALLEST_BATCH,
    ImageError,
    encode_image_rows,
    encode_text_rows,
    load_image,
)
from mmoe.features.part import Part, write_part
from mmoe.features.shards import KEEP_PADDING, UNREADABLE, FeatureRow, PartColumns
from mmoe.files import content_key
from mmoe.records import ImageInput, TextInput, read_records

# What decides the features' values; registry, source and this module say what is encoded, and from where.
DECIDING = (base, kinds, layout, rows, mmoe.images, surface_forms)
CODE = tree_key(Path(str(module.__file__)) for module in DECIDING)


@dataclass(frozen=True)
class EncodeSummary:
    """How many rows a part has, how many of them an earlier run had encoded, which images failed and why."""

    num_rows: int
    num_kept: int = 0
    unreadable: tuple[str, ...] = ()


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
) -> EncodeSummary:
    """Encodes a table of `TextInput`: token features, pooled embedding, pooled embedding of the name.

    Args:
        out: folder of the part's shards.
        work: folder in which finished shards survive a kill and the next run.
        around_name: see `encode_text_rows`.
        keep_tokens: False leaves the token features out, which take most of the space: for those who
            compare texts and match no tokens.
    """
    texts = read_records(table, TextInput)
    length, budget = params.max_text_length, params.description_budget
    encoder.layout(length, budget)  # a bad length is an error even where nothing is to be encoded

    def encode(new: Sequence[TextInput]) -> list[FeatureRow]:
        size = runtime.encode_batch_size
        encoded = encode_text_rows(
            encoder, new, length, budget, size, around_name, params.keep_padding
        )
        return encoded if keep_tokens else [replace(row, tokens=None) for row in encoded]

    token_width, pooled_width = encoder.text_widths
    columns = PartColumns("text", token_width if keep_tokens else 0, pooled_width)
    metadata = _metadata(params, encoder) | {
        "max_text_length": length,
        "description_budget": budget,
        "around_name": around_name,
        "keep_tokens": keep_tokens,
    }
    part = Part(out, work, runtime.shard_rows, columns, metadata, _made_with(encoder))
    kept = write_part(texts, part, lambda r: content_key(r.name, r.body, r.description), encode)
    return EncodeSummary(len(texts), kept)


def encode_images(
    table: Path,
    out: Path,
    work: Path,
    params: EncodeParams,
    runtime: RuntimeParams,
    encoder: Encoder,
    raw: Path,
) -> EncodeSummary:
    """Encodes a table of `ImageInput`; a text-only encoder leaves an empty table.

    An image that can't be read is reported and stored as unreadable, so that the model masks it.
    """
    listed = read_records(table, ImageInput) if encoder.sees_images else []
    unreadable: dict[str, str] = {}  # image -> reason: several rows may show the same image

    def encode(new: Sequence[ImageInput]) -> list[FeatureRow]:
        # Only so many images are held decoded at a time.
        size = max(runtime.encode_batch_size, SMALLEST_BATCH)
        done: list[FeatureRow] = []
        for start in range(0, len(new), size):
            batch = new[start : start + size]
            decoded = [_load(row, raw, unreadable) for row in batch]
            encoded = encode_image_rows(encoder, decoded, size, params.keep_padding)
            done += [
                replace(features, status=UNREADABLE) if row.image in unreadable else features
                for row, features in zip(batch, encoded, strict=True)
            ]
        return done

    columns, metadata = PartColumns("image", *encoder.image_widths), _metadata(params, encoder)
    part = Part(out, work, runtime.shard_rows, columns, metadata, _made_with(encoder))
    kept = write_part(listed, part, lambda r: r.sha256 or "" if r.image else "", encode)
    return EncodeSummary(len(listed), kept, tuple(unreadable.values()))


def _load(row: ImageInput, raw: Path, unreadable: dict[str, str]) -> Image.Image | None:
    if row.image is None or row.sha256 is None:
        return None
    try:
        return load_image(raw, row.image)
    except ImageError as error:
        unreadable[row.image] = str(error)
        return None


def _metadata(params: EncodeParams, encoder: Encoder) -> dict[str, Any]:
    """The settings that decide the features."""
    padding = {KEEP_PADDING: True} if params.keep_padding else {}
    return padding | {
        "encoder": encoder.name,
        "fingerprint": encoder.fingerprint,
        "joint": encoder.joint,
        "precision": params.precision,
    }


def _made_with(encoder: Encoder) -> dict[str, str]:
    """What else decides their bits, and whether kept rows may be used; stands in no output."""
    versions = {module.__name__: module.__version__ for module in (torch, transformers, PIL)}
    return {**versions, "device": encoder.device.type, "code": CODE}
