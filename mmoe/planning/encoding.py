"""What stage encode will take: lengths of a sample of each part, and the encoder's speed on some of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.layout import plain_tokens
from mmoe.encoders.rows import NAME_BATCH_FACTOR, encode_image_rows, encode_in_length_order
from mmoe.errors import FeatureStoreError
from mmoe.features.shards import PartColumns, open_shard, shard_metadata
from mmoe.features.store import DEFAULTS
from mmoe.files import bytes_under, content_key
from mmoe.images import ImageError, load_image
from mmoe.planning.steps import DONE, Places, Step
from mmoe.records import ImageFile, ImageInput, Mention, TextInput, read_records

SAMPLED = 400  # texts of a part whose tokens are counted
TIMED_TEXTS, TIMED_IMAGES = 64, 32
QUANTILES = (0.125, 0.375, 0.625, 0.875)  # lengths of the timed texts, a fourth of these each
WARM_UP = 8
POOLED_BYTES = 2  # float16, whatever encode.dtype
PARTS = ("mention_text", "mention_image", "mention_context", "entity_text", "entity_image")
WITHOUT_TOKENS = "mention_context"

Row = TypeVar("Row")


@dataclass(frozen=True)
class Encoding:
    """The parts of a data set as stage encode will write them.

    Attributes:
        steps: one a part, in the order of the stage.
        lengths: int64; tokens of the sampled texts of a part, patches of each row of an image part, 0 for one
            without. Of a part that is done, of all its rows.
        rows: how many a part has.
    """

    steps: tuple[Step, ...]
    lengths: dict[str, NDArray[np.int64]]
    rows: dict[str, int]

    def num_tokens(self, part: str) -> int:
        """Of all rows of a part, by the mean of the sample; a row without an image counts as one."""
        lengths = self.lengths[part].clip(min=1)
        return round(float(lengths.mean()) * self.rows[part]) if len(lengths) else 0


def plan_encoding(
    at: Places, params: EncodeParams, runtime: RuntimeParams, encoder: Encoder, described: bool
) -> Encoding:
    """Plans all parts of a data set that stage ingest has written.

    Args:
        described: whether mentions will get descriptions, where stage rank has not written their texts yet.
    Raises:
        DataError: if a table is missing or broken.
        FeatureStoreError: if the encoder does not take texts of this length.
    """
    found = [
        _plan_images(at, part, params, runtime, encoder)
        if part.endswith("image")
        else _plan_texts(at, part, params, runtime, encoder, described)
        for part in PARTS
    ]
    return Encoding(
        tuple(step for step, _ in found),
        {step.part: lengths for step, lengths in found},
        {step.part: step.rows or 0 for step, _ in found},
    )


def _plan_texts(
    at: Places,
    part: str,
    params: EncodeParams,
    runtime: RuntimeParams,
    encoder: Encoder,
    described: bool,
) -> tuple[Step, NDArray[np.int64]]:
    rows, budget, note = _texts(at, part, params, described)
    width, pooled_width = encoder.text_widths
    columns = PartColumns(
        "text", 0 if part == WITHOUT_TOKENS else width, pooled_width, params.dtype
    )
    step = Step("encode", part, len(rows), features=True, note=note)
    keys = [(row.id, content_key(row.name, row.body, row.description)) for row in rows]
    if (done := _done(at, step, columns, params, keys)) is not None:
        return done
    sample = _sampled(rows, SAMPLED)
    start = time.perf_counter()
    texts, names = _laid_out(encoder, sample, part, params)
    tokenising = time.perf_counter() - start
    longest = params.max_text_length
    read = np.array([min(longest, len(text) + budget) for text in texts], dtype=np.int64)
    lengths = np.full_like(read, longest) if params.keep_padding else read
    if not rows:
        return replace(step, seconds=0.0), lengths
    pooled = len(columns.widths) - 1  # columns beside the tokens
    a_row = float(lengths.mean()) * _token_bytes(columns) + pooled * POOLED_BYTES * pooled_width
    # A text that will be longer than it is now: its last token again and again.
    filled = [text + text[-1:] * (n - len(text)) for text, n in zip(texts, read, strict=True)]
    seconds = tokenising / len(sample) + _seconds_a_text(encoder, filled, names, params, runtime)
    return replace(step, kept_bytes=round(len(rows) * a_row), seconds=len(rows) * seconds), lengths


def _texts(
    at: Places, part: str, params: EncodeParams, described: bool
) -> tuple[list[TextInput], int, str]:
    """The texts of a part, tokens that each still gets, and what is to be said of that."""
    if part != "mention_text" or at.inputs(part).is_file():
        return read_records(at.inputs(part), TextInput), 0, ""
    mentions = read_records(at.mentions, Mention)
    rows = [TextInput(m.mention_id, m.surface_form, m.context, None) for m in mentions]
    if not described:
        return rows, 0, ""
    budget = params.description_budget
    return rows, budget, f"each description counted as {budget} tokens: stage rank has not run"


def _laid_out(
    encoder: Encoder, rows: Sequence[TextInput], part: str, params: EncodeParams
) -> tuple[list[list[int]], list[list[int]]]:
    """Token ids of the texts as stage encode lays them out, and of their names alone.

    A long body keeps its head: where it is cut changes no length.
    """
    length, budget = params.max_text_length, params.description_budget
    layout = encoder.layout(length, budget, of_mentions=part != "entity_text")
    if not rows:
        return [], []
    names, bodies, descriptions = (
        plain_tokens(encoder.tokenizer, texts)["input_ids"]
        for texts in (
            [row.name for row in rows],
            [row.body for row in rows],
            [row.description or "" for row in rows],
        )
    )
    texts = [layout.whole(*ids) for ids in zip(names, bodies, descriptions, strict=True)]
    return texts, [layout.name_alone(name) for name in names]


def _seconds_a_text(
    encoder: Encoder,
    texts: Sequence[list[int]],
    names: Sequence[list[int]],
    params: EncodeParams,
    runtime: RuntimeParams,
) -> float:
    """In batches of equal lengths, as a shard of texts has them, which a small sample has not."""
    by_length = sorted(texts, key=len)
    chosen = [by_length[int(share * len(by_length))] for share in QUANTILES]
    size = runtime.encode_batch_size
    padded_to = params.max_text_length if params.keep_padding else None
    timed = [text for text in chosen for _ in range(TIMED_TEXTS // len(chosen))]
    alone = names[:TIMED_TEXTS]
    encode_in_length_order(encoder, timed[:WARM_UP], size, padded_to)
    start = time.perf_counter()
    encode_in_length_order(encoder, timed, size, padded_to)
    whole = (time.perf_counter() - start) / len(timed)
    start = time.perf_counter()
    encode_in_length_order(encoder, alone, size * NAME_BATCH_FACTOR)
    return whole + (time.perf_counter() - start) / len(alone)


def _plan_images(
    at: Places, part: str, params: EncodeParams, runtime: RuntimeParams, encoder: Encoder
) -> tuple[Step, NDArray[np.int64]]:
    rows = read_records(at.inputs(part), ImageInput) if encoder.sees_images else []
    columns = PartColumns("image", *encoder.image_widths, params.dtype)
    step = Step("encode", part, len(rows), features=True)
    keys = [(row.id, (row.sha256 or "") if row.image else "") for row in rows]
    if (done := _done(at, step, columns, params, keys)) is not None:
        return done
    sound = {file.image for file in read_records(at.images, ImageFile) if file.problem is None}
    shown = [row for row in rows if row.image in sound]
    patches, seconds = (
        _timed_images(at.raw, shown, params, runtime, encoder) if shown else (0.0, 0.0)
    )
    if not encoder.sees_images:
        step = replace(step, note="the encoder reads texts only")
    missing = _patches_of_none(encoder) if params.keep_padding and encoder.sees_images else 0
    lengths = np.full(len(rows), missing, dtype=np.float64)
    lengths[[row.image in sound for row in rows]] = patches
    counts = np.rint(lengths).astype(np.int64)
    pooled = POOLED_BYTES * columns.pooled_width * (len(rows) if missing else len(shown))
    size = round(float(lengths.sum()) * _token_bytes(columns)) + pooled
    return replace(step, kept_bytes=size, seconds=seconds * len(shown)), counts


def _timed_images(
    raw: Path,
    shown: Sequence[ImageInput],
    params: EncodeParams,
    runtime: RuntimeParams,
    encoder: Encoder,
) -> tuple[float, float]:
    """Mean patches of an image and seconds that one takes, reading and decoding included."""
    sample = _sampled(shown, TIMED_IMAGES)
    size = runtime.encode_batch_size
    encode_image_rows(encoder, [_noise(encoder)], size)
    start = time.perf_counter()
    encoded = encode_image_rows(encoder, (_load(raw, row, params, encoder) for row in sample), size)
    seconds = (time.perf_counter() - start) / len(sample)
    counts = [len(row.tokens) for row in encoded if row.tokens is not None]
    if counts:
        return float(np.mean(counts)), seconds
    start = time.perf_counter()
    encoded = encode_image_rows(encoder, [_noise(encoder)] * TIMED_IMAGES, size)
    assert encoded[0].tokens is not None
    return float(len(encoded[0].tokens)), (time.perf_counter() - start) / TIMED_IMAGES


def _load(raw: Path, row: ImageInput, params: EncodeParams, encoder: Encoder) -> Image.Image | None:
    try:
        return load_image(raw, row.image or "", params.max_pixels, encoder.jpeg_side)
    except ImageError:
        return None


def _noise(encoder: Encoder) -> Image.Image:
    """A random square of the size that the encoder sees."""
    side = encoder.image_side
    pixels = np.random.default_rng(0).integers(256, size=(side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _patches_of_none(encoder: Encoder) -> int:
    return int(encoder.encode_no_image().lengths_B[0])


def _token_bytes(columns: PartColumns) -> int:
    return columns.token_bytes if columns.token_width else 0


def _sampled(rows: Sequence[Row], most: int) -> list[Row]:
    """Some rows, drawn at random but always the same ones, in order."""
    if len(rows) <= most:
        return list(rows)
    drawn = np.random.default_rng(0).choice(len(rows), most, replace=False)
    return [rows[i] for i in sorted(drawn.tolist())]


def _done(
    at: Places,
    step: Step,
    columns: PartColumns,
    params: EncodeParams,
    keys: Sequence[tuple[str, str]],
) -> tuple[Step, NDArray[np.int64]] | None:
    """The step as it was done, if its features were made of these rows with these settings.

    Args:
        keys: id of each row and the key of what is encoded, as stage encode stores them.
    """
    folder = at.features / step.part
    shards = sorted(folder.glob("shard-*.parquet"))
    if not shards:
        return None
    try:
        files = [open_shard(shard) for shard in shards]
        metadata: dict[str, Any] = DEFAULTS | shard_metadata(files[0])
        wanted = DEFAULTS | params.feature_config
        same = all(metadata.get(key, value) == value for key, value in wanted.items())
        if not same or PartColumns(**metadata["columns"]) != columns:
            return None
        names = ["id", "content_key", columns.count]
        found = pa.concat_tables([file.read(names) for file in files])
    except (FeatureStoreError, OSError, pa.ArrowException):
        return None  # stage encode makes them anew
    stored = zip(found["id"].to_pylist(), found["content_key"].to_pylist(), strict=True)
    if list(stored) != list(keys):
        return None
    done = replace(step, kept_bytes=bytes_under(folder), seconds=0.0, state=DONE, note="")
    return done, found[columns.count].to_numpy().astype(np.int64)
