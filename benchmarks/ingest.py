"""Ingesting a large data set: time and memory; and hashing its images, against one after the other.

usage  python -m benchmarks.ingest

The plain way of the tables is pandas: read the JSON lines, write Parquet, check nothing.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from PIL import Image

from mmoe.config.encode import EncodeParams
from mmoe.datasets.fingerprints import fingerprint_images
from mmoe.files import sha256_of

from benchmarks.measure import alternating_seconds, print_result

ENTITIES, MENTIONS, IMAGES = 200_000, 100_000, 400
WORDS = [
    f"{head}{tail}" for head in ("ka", "lo", "mi", "ner", "pu") for tail in ("ban", "ris", "t")
]

OURS = (
    "import sys; from pathlib import Path; from mmoe.datasets.ingest import *;"
    "raw, out = Path(sys.argv[1]), Path(sys.argv[2]);"
    "names = ('mentions', 'entities', 'images', 'mention_image', 'mention_context', "
    "'entity_text', 'entity_image');"
    "files = IngestFiles(*(out / n for n in names), out / 'counts', out / 'journal');"
    "ingest(raw, Selection('auto', 'given', 'drop', None), 10**8, files)"
)
PLAIN = (
    "import sys, pandas as pd;"
    "[pd.read_json(f'{sys.argv[1]}/{n}.jsonl', lines=True).to_parquet(f'{sys.argv[2]}/{n}.parquet')"
    " for n in ('mentions', 'entities')]"
)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_raw(root / "raw")
        ours, plain = (child(code, root / "raw", root / out) for code, out in SYSTEMS)
        print_result("ingest.seconds", ours[0], "s", plain[0], higher_is_better=False)
        print_result("ingest.memory", ours[1], "MB", plain[1], higher_is_better=False)
        hash_images(root / "images")


SYSTEMS = ((OURS, "ours"), (PLAIN, "plain"))


def child(code: str, raw: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of a Python process of its own."""
    out.mkdir()
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, str(raw), str(out)])  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    assert not status
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def write_raw(folder: Path) -> None:
    """A data set in our own format: seeded nonsense of the length of RichpediaMEL's texts."""
    folder.mkdir()
    draw = random.Random(0)  # noqa: S311 - not a secret

    def text(words: int) -> str:
        return " ".join(draw.choices(WORDS, k=words))

    def entities() -> Iterator[dict[str, Any]]:
        for i in range(ENTITIES):
            yield {"qid": f"Q{i + 1}", "name": text(2), "attributes": text(12)}

    def mentions() -> Iterator[dict[str, Any]]:
        for i in range(MENTIONS):
            split = ("train", "valid", "test")[i % 3]
            gold = f"Q{draw.randrange(ENTITIES) + 1}"
            word, context = text(1), text(16)
            yield {
                "mention_id": f"m{i}",
                "surface_form": word,
                "context": f"{context} {word}",
                "gold_qid": gold,
                "split": split,
            }

    rows: dict[str, Callable[[], Iterator[dict[str, Any]]]]
    rows = {"entities": entities, "mentions": mentions}
    for name, generate in rows.items():
        with (folder / f"{name}.jsonl").open("w") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in generate())


def hash_images(folder: Path) -> None:
    """Photos of 640 × 480, as many as make a second's work."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(IMAGES):
        coarse = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8))
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"{i}.jpg")
    names = {path.name for path in folder.iterdir()}
    runs = iter(range(100))

    def ours() -> None:
        journal = folder.parent / f"journal-{next(runs)}"
        fingerprint_images(folder, names, EncodeParams().max_pixels, journal)

    def plain() -> None:
        for image in sorted(names):
            sha256_of(folder / image)
            with Image.open(folder / image) as decoded:
                imagehash.phash(decoded)

    parallel, single = alternating_seconds(ours, plain, runs=3)
    print_result("ingest.images", IMAGES / parallel, "1/s", IMAGES / single, higher_is_better=True)


if __name__ == "__main__":
    main()
