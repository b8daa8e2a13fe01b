"""Encodes one part of a data set: texts around their names, images that may be missing or broken."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.encoder import Encoded, Encoder, plain_tokens
from mmoe.encoders.layout import TextLayout, find_focus
from mmoe.features.reuse import FeatureRowCache
from mmoe.features.runner import ShardPlan, run_shards
from mmoe.features.shards import ABSENT, FORMAT_VERSION, OK, UNREADABLE, FeatureRow
from mmoe.files import content_key, sha256_of
from mmoe.images import DECODING_ERRORS, decoding_problem, open_image
from mmoe.records import ImageInput, TextInput, read_records

SMALLEST_BATCH = 8
NAME_BATCH_FACTOR = 4  # names are several times shorter than whole texts


@dataclass(frozen=True)
class EncodeSummary:
    """How many rows a part has, how many an interrupted run had finished, how many of the others the last
    finished run had encoded already, which images failed and why.
    """

    num_rows: int
    num_resumed: int
    num_reused: int = 0
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
    keep_states: bool = True,
) -> EncodeSummary:
    """Encodes a table of `TextInput`: token states, pooled embedding, pooled embedding of the name.

    Args:
        around_name: shorten a long body around the name's place in it (mentions) instead of keeping
            its head (entities).
        keep_states: False leaves the token states out, which take most of the space: for those who
            compare texts and match no tokens (`read_pooled`).
    """
    rows = read_records(table, TextInput)
    layout = encoder.layout(params.max_text_length, params.description_budget)
    states_width, pooled_width = encoder.text_widths
    widths = {
        "states": states_width if keep_states else 0,
        "pooled": pooled_width,
        "name_pooled": pooled_width,
    }

    def encode(chunk: Sequence[TextInput]) -> list[FeatureRow]:
        texts, names = _laid_out(chunk, layout, encoder.tokenizer, around_name)
        whole = encode_in_length_order(encoder, texts, runtime.encode_batch_size)
        alone = encode_in_length_order(encoder, names, runtime.encode_batch_size * NAME_BATCH_FACTOR)
        return [
            FeatureRow(row.id, OK, states if keep_states else None, pooled, name_pooled)
            for row, (states, pooled), (_, name_pooled) in zip(chunk, whole, alone, strict=True)
        ]

    text_settings = {
        "max_text_length": params.max_text_length,
        "description_budget": params.description_budget,
        "around_name": around_name,
        "keep_states": keep_states,
    }
    metadata = {**_metadata(table, params, runtime, encoder), **text_settings}
    plan = ShardPlan(out, work, runtime.shard_rows, widths, metadata)
    return _run(rows, plan, encode, lambda row: content_key(row.name, row.body, row.description))


def encode_images(
    table: Path, out: Path, work: Path, params: EncodeParams, runtime: RuntimeParams, encoder: Encoder, raw: Path
) -> EncodeSummary:
    """Encodes a table of `ImageInput`; a text-only encoder leaves an empty table.

    An image that can't be read is reported and stored as unreadable, so that the model masks it.
    """
    listed = read_records(table, ImageInput)
    rows = listed if encoder.sees_images else []
    states_width, pooled_width = encoder.image_widths
    unreadable: list[str] = []

    def encode(chunk: Sequence[ImageInput]) -> list[FeatureRow]:
        done: list[FeatureRow] = []
        for start in range(0, len(chunk), runtime.encode_batch_size):
            part = chunk[start : start + runtime.encode_batch_size]
            done += _encode_images(part, encoder, raw, unreadable, runtime.encode_batch_size)
        return done

    plan = ShardPlan(
        out,
        work,
        runtime.shard_rows,
        {"states": states_width, "pooled": pooled_width},
        _metadata(table, params, runtime, encoder),
    )
    # One that can't be read is tried, and reported, again: it is never taken from the last run.
    summary = _run(rows, plan, encode, lambda row: row.sha256 or "")
    return replace(summary, unreadable=tuple(unreadable))


Input = TypeVar("Input", TextInput, ImageInput)


def _run(
    rows: Sequence[Input],
    plan: ShardPlan,
    encode: Callable[[Sequence[Input]], list[FeatureRow]],
    key_of: Callable[[Input], str],
) -> EncodeSummary:
    """Encodes what neither an interrupted run nor the last finished one has encoded."""
    settings = {k: v for k, v in plan.metadata.items() if k not in ("input_sha256", "shard_rows")}
    kept = FeatureRowCache(
        plan.work.with_name(f"{plan.work.name}-kept"), settings, key_of, lambda row: row.id
    )
    resumed = run_shards(rows, plan, kept.first(encode))
    kept.keep(plan.out, rows, plan.shard_rows)
    return EncodeSummary(len(rows), resumed, kept.num_reused)


def _metadata(table: Path, params: EncodeParams, runtime: RuntimeParams, encoder: Encoder) -> dict[str, Any]:
    """All that decides the values of a part's features."""
    return {
        "format": FORMAT_VERSION,
        "input_sha256": sha256_of(table),
        "encoder": encoder.name,
        "fingerprint": encoder.fingerprint,
        "joint": encoder.joint,
        "precision": params.precision,
        "batch_size": runtime.encode_batch_size,
        "shard_rows": runtime.shard_rows,
        "torch": torch.__version__,
    }


def _laid_out(
    chunk: Sequence[TextInput], layout: TextLayout, tokenizer: Any, around_name: bool
) -> tuple[list[list[int]], list[list[int]]]:
    """Token ids of the whole texts and of the names alone."""
    names = plain_tokens(tokenizer, [row.name for row in chunk])["input_ids"]
    descriptions = plain_tokens(tokenizer, [row.description or "" for row in chunk])["input_ids"]
    bodies = plain_tokens(tokenizer, [row.body for row in chunk], return_offsets_mapping=True)
    whole = []
    for i, row in enumerate(chunk):
        spans = bodies["offset_mapping"][i]
        focus = find_focus(row.name, row.body, spans) if around_name else None
        whole.append(layout.whole(names[i], bodies["input_ids"][i], descriptions[i], focus))
    return whole, [layout.name_alone(name) for name in names]


Item = TypeVar("Item")
Features = tuple[NDArray[np.float16], NDArray[np.float16]]  # states [L, C], pooled [P]


def encode_in_length_order(
    encoder: Encoder, texts: Sequence[Sequence[int]], batch_size: int
) -> list[Features]:
    """Encodes texts of one length together, so that nothing is padding; returns them as given.

    A text's features hang on nothing but the text: neither padding nor, from SMALLEST_BATCH rows on, the
    size of the batch changes a bit of them (a test holds this on the machine that runs it).
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    done: dict[int, Features] = {}
    for _, same in groupby(order, key=lambda i: len(texts[i])):
        for batch in _batches(same, batch_size):
            features = _unpadded(
                encoder.encode_texts(filled([texts[i] for i in batch], batch_size))
            )
            done.update(zip(batch, features, strict=False))
    return [done[i] for i in range(len(texts))]


def _batches(rows: Iterator[int], size: int) -> Iterator[list[int]]:
    while batch := list(islice(rows, size)):
        yield batch


def filled(batch: list[Item], batch_size: int) -> list[Item]:
    """The batch, brought up to SMALLEST_BATCH with repetitions of its first item: products of fewer rows
    add up in another order.
    """
    return batch + batch[:1] * (min(SMALLEST_BATCH, batch_size) - len(batch))


def _encode_images(
    batch: Sequence[ImageInput], encoder: Encoder, raw: Path, unreadable: list[str], size: int
) -> list[FeatureRow]:
    status, images = [], []
    for row in batch:
        if row.image is None or row.sha256 is None:
            status.append(ABSENT)
            continue
        try:
            images.append(load_image(raw, row.image))
            status.append(OK)
        except ImageError as error:
            unreadable.append(str(error))
            status.append(UNREADABLE)
    features = iter(_unpadded(encoder.encode_images(filled(images, size))) if images else [])
    return [
        FeatureRow(row.id, OK, *next(features))
        if state == OK
        else FeatureRow(row.id, state, None, None)
        for row, state in zip(batch, status, strict=True)
    ]


def _unpadded(encoded: Encoded) -> list[Features]:
    states = encoded.states_BLC.to("cpu", torch.float16).numpy()
    pooled = encoded.pooled_BP.to("cpu", torch.float16).numpy()
    return [(states[i, :n], pooled[i]) for i, n in enumerate(encoded.lengths_B.tolist())]


class ImageError(Exception):
    """An image that can't be decoded; the run goes on without it."""


def load_image(raw: Path, name: str) -> Image.Image:
    """Decodes an image as RGB.

    Args:
        raw: the data set's raw folder, to which `name` is relative.
    Raises:
        ImageError: whatever is wrong with the file: it names it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata; an image that decodes is good enough
            with open_image(raw, name) as stream, Image.open(stream) as image:
                # A JPEG decodes several times faster at a size still twice what encoders take.
                image.draft("RGB", (448, 448))
                if image.mode.startswith("I;16"):  # convert() would clip all but the darkest
                    return image.point(lambda value: value / 256, "L").convert("RGB")
                return image.convert("RGB")
    except DECODING_ERRORS as error:
        raise ImageError(f"{raw / name}: {decoding_problem(error)}") from None
