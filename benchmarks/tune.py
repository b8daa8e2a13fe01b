"""One joint step of encoder and matcher at ViT-B/32's size: memory with few rows at a time, and with all.

usage  python -m benchmarks.tune [prompts|lora|full]      all without an argument

Thirty-two mentions and as many entities of 50 tokens and an image each, a CLIP of ViT-B/32's shape with
random weights, MIMIC's units. Each step is taken in a process of its own; both give the same gradients. What
a process holds before the step, weights mostly, counts in both.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mmoe.config.encode import EncodeParams
from mmoe.config.mimic import MimicParams
from mmoe.config.model import ModelParams
from mmoe.config.tune import TuneParams
from mmoe.encoders.registry import load_encoder
from mmoe.encoders.tuned import Tuning
from mmoe.model.matcher import MatcherSpec
from mmoe.model.matchers.mimic import Mimic
from mmoe.records import ImageInput, TextInput
from mmoe.tuning.live import ImageFiles, Live

from benchmarks.encode import vit_b_32
from benchmarks.measure import print_result

METHODS = ("prompts", "lora", "full")
ROWS, FEW, STEPS = 32, 8, 2
WORDS = "the river runs through the old city of painters and kings " * 6


def main() -> None:
    methods = sys.argv[1:] or METHODS
    if not {*methods} <= {*METHODS}:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        clip = vit_b_32(Path(folder) / "clip")
        for i in range(ROWS):
            pixels = np.random.default_rng(i).integers(0, 255, (224, 224, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path(folder) / f"{i}.jpg")
        for method in methods:
            ours, plain = (_in_process(method, rows, clip, folder) for rows in (FEW, 2 * ROWS))
            name = f"tune.{method}"
            print_result(f"{name}.memory", ours[0], "MB", plain[0], higher_is_better=False)
            print_result(f"{name}.step", ours[1], "s", plain[1], higher_is_better=False)


def _in_process(method: str, rows: int, clip: Path, folder: str) -> tuple[float, float]:
    code = f"from benchmarks.tune import step; step({method!r}, {rows}, {str(clip)!r}, {folder!r})"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    memory, seconds = json.loads(done.stdout.splitlines()[-1])
    return memory, seconds


def step(method: str, rows: int, clip: str, folder: str) -> None:
    """Takes the steps and prints the peak of memory in MB and the seconds of the last one."""
    torch.manual_seed(0)
    tuning = Tuning(load_encoder(clip, "cpu"), TuneParams.model_validate({"method": method}))
    live = Live(tuning.encoder, EncodeParams(model=clip), rows)
    texts = [TextInput(str(i), f"river {i}", WORDS, None) for i in range(ROWS)]
    images = [ImageInput(str(i), f"{i}.jpg", "0" * 64) for i in range(ROWS)]
    files = ImageFiles(images, Path(folder), 10**8)
    sides = [live.side(texts, files, of_mentions=side) for side in (True, False)]
    model = ModelParams(name="mimic")
    matcher = Mimic(MatcherSpec(sides[0].widths, model, MimicParams()))
    optimiser = torch.optim.AdamW([*tuning.trained.parameters(), *matcher.parameters()])
    for _ in range(STEPS):
        start = time.perf_counter()
        scores = matcher(*(side.gather(side.everything, torch.device("cpu")) for side in sides))
        gold = torch.arange(ROWS)
        total = torch.nn.functional.cross_entropy(scores["overall"], gold)
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        seconds = time.perf_counter() - start
    print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, seconds]))


if __name__ == "__main__":
    main()
