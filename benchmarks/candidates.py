"""Candidates of 20,000 words among 5 million names: one query for all, against one a word.

usage  python -m benchmarks.candidates

Both ask the same label index in processes of their own. One query a word is measured on 200 words and
multiplied up, by tokens on 20.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.files import write_json
from mmoe.wikidata.label_index import ITEM_SCHEMA, ITEMS, NAME_SCHEMA, NAMES, ROW_GROUP, SOURCE

from benchmarks.measure import print_result

NUM_NAMES, NUM_ITEMS, NUM_WORDS = 5_000_000, 3_000_000, 20_000
VOCABULARY = 200_000

COMMON = (
    "import sys, time; from pathlib import Path;"
    "from mmoe.records import Mention; from mmoe.wikidata.matching import Matching;"
    "from mmoe.wikidata.query import find_in_index;"
    "index, match = Path(sys.argv[1]), Matching(sys.argv[2]);"
    "words = (index / 'words.txt').read_text().splitlines();"
    "mention = lambda i, w: Mention(str(i), str(i), w, w, None, None, False, 'test');"
    "mentions = [mention(i, w) for i, w in enumerate(words)];"
    "start = time.perf_counter();"
)
STOP = ";print(time.perf_counter() - start)"
TOGETHER = COMMON + "find_in_index(index, mentions, match)" + STOP
ALONE = COMMON + "[find_in_index(index, [m], match) for m in mentions[:int(sys.argv[3])]]" + STOP


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        # In a process of its own: what it takes would count as its children's memory.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(write_index, root).result()
        for match, alone in (("tokens", 20), ("exact", 200)):
            together, memory = child(TOGETHER, root, match)
            seconds, plain_memory = child(ALONE, root, match, str(alone))
            memories = (memory, "MB", plain_memory)
            print_result(f"candidates.{match}_memory", *memories, higher_is_better=False)
            plain = seconds * NUM_WORDS / alone
            print_result(f"candidates.{match}", together, "s", plain, higher_is_better=False)


def child(code: str, root: Path, *arguments: str) -> tuple[float, float]:
    """Seconds that the query says it took, and peak megabytes of its process."""
    command = [sys.executable, "-c", code, str(root), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert not status
    return float(said), usage.ru_maxrss / 1024


def write_index(folder: Path) -> None:
    """Names of one to three made-up words, some far more frequent than others, and words to ask."""
    rng = np.random.default_rng(0)
    syllables = np.array([c + v for c in "bcdfghjklmnprstvwz" for v in "aeiou"])
    lengths = rng.integers(1, 5, VOCABULARY)
    words = np.array(["".join(rng.choice(syllables, size=length)) for length in lengths])
    shares = 1 / np.arange(1, VOCABULARY + 1) ** 0.8
    drawn = rng.choice(VOCABULARY, size=(NUM_NAMES, 3), p=shares / shares.sum())
    sizes = rng.integers(1, 4, NUM_NAMES)
    names = [" ".join(words[row[:size]]) for row, size in zip(drawn, sizes, strict=True)]
    bearers = rng.integers(1, NUM_ITEMS + 1, NUM_NAMES)
    table = pa.table(
        {
            "name": names,
            "qid": [f"Q{number}" for number in bearers],
            "kind": np.where(rng.random(NUM_NAMES) < 0.6, "label", "alias"),
            "language": ["en"] * NUM_NAMES,
        }
    )
    _write(folder / NAMES, table.sort_by("name").cast(NAME_SCHEMA))
    _write(folder / ITEMS, _items(rng))
    write_json(folder / SOURCE, {"made up": True})
    known = [names[i] for i in rng.choice(NUM_NAMES, size=NUM_WORDS * 4 // 5, replace=False)]
    unknown = [f"x{number}" for number in range(NUM_WORDS - len(known))]
    (folder / "words.txt").write_text("\n".join(known + unknown))


def _items(rng: np.random.Generator) -> pa.Table:
    numbers = range(1, NUM_ITEMS + 1)
    columns = {
        "qid": [f"Q{n}" for n in numbers],
        "label": [f"label {n}" for n in numbers],
        "description": [f"made-up thing that bears the number {n}" for n in numbers],
        "aliases": [[]] * NUM_ITEMS,
        "instance_of": [["Q5"]] * NUM_ITEMS,
        "image": [None] * NUM_ITEMS,
        "sitelinks": rng.integers(0, 50, NUM_ITEMS),
        "modified": ["2026-01-02T03:04:05Z"] * NUM_ITEMS,
    }
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in ITEM_SCHEMA}
    )


def _write(folder: Path, table: pa.Table) -> None:
    folder.mkdir()
    pq.write_table(
        table, folder / "part-00000.parquet", compression="zstd", row_group_size=ROW_GROUP
    )


if __name__ == "__main__":
    main()
