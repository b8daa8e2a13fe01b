"""Candidates of 20,000 words among 5 million names: one join, against one query a word.

usage  python -m benchmarks.candidates

Both ask the same label index in processes of their own. One query a word is measured on 200 words and
multiplied up. By tokens there is no such plain way: the plain one is every name split in Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.files import write_json
from mmoe.wikidata.labels import ITEM_SCHEMA, ITEMS, NAME_SCHEMA, NAMES, ROW_GROUP, SOURCE

from benchmarks.measure import print_result

NUM_NAMES, NUM_ITEMS, NUM_WORDS, ASKED_ALONE = 5_000_000, 3_000_000, 20_000, 200
VOCABULARY = 200_000

COMMON = (
    "import sys, time, duckdb, pyarrow as pa, pyarrow.parquet as pq; from pathlib import Path;"
    "from mmoe.records import Mention; from mmoe.wikidata.hits import Matching;"
    "from mmoe.names import name_tokens; from mmoe.wikidata.query import find_in_index;"
    "index = Path(sys.argv[1]); words = Path(sys.argv[2]).read_text().splitlines();"
    "mention = lambda i, w: Mention(str(i), str(i), w, w, None, None, False, 'test');"
    "mentions = [mention(i, w) for i, w in enumerate(words)];"
    "start = time.perf_counter();"
)
STOP = ";print(time.perf_counter() - start)"
JOIN = COMMON + "find_in_index(index, mentions, Matching('exact'))" + STOP
BY_TOKENS = COMMON + "find_in_index(index, mentions, Matching('tokens'))" + STOP
ALONE = (
    COMMON
    + f"[find_in_index(index, [m], Matching('exact')) for m in mentions[:{ASKED_ALONE}]]"
    + STOP
)
SPLIT = (
    COMMON
    + "wanted = {w: set(name_tokens(w)) for w in words}; tokens = set().union(*wanted.values());"
    "names = pq.read_table(index / 'names', columns=['name'])['name'].to_pylist();"
    "hits = [n for n in names if not tokens.isdisjoint(name_tokens(n))]" + STOP
)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        words = write_index(root)
        (root / "words.txt").write_text("\n".join(words))
        join, memory = child(JOIN, root)
        alone, alone_memory = child(ALONE, root)
        by_tokens, token_memory = child(BY_TOKENS, root)
        split, split_memory = child(SPLIT, root)
        print_result("candidates.tokens", by_tokens, "s", split, higher_is_better=False)
        print_result(
            "candidates.tokens_memory", token_memory, "MB", split_memory, higher_is_better=False
        )
        print_result("candidates.memory", memory, "MB", alone_memory, higher_is_better=False)
        plain = alone * NUM_WORDS / ASKED_ALONE
        print_result("candidates.exact", join, "s", plain, higher_is_better=False)


def child(code: str, root: Path) -> tuple[float, float]:
    """Seconds that the query says it took, and peak megabytes of its process."""
    command = [sys.executable, "-c", code, str(root), str(root / "words.txt")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert not status
    return float(said), usage.ru_maxrss / 1024


def write_index(folder: Path) -> list[str]:
    """Names of one to three made-up words, some far more frequent than others; returns words to ask."""
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
    return known + unknown


def _items(rng: np.random.Generator) -> pa.Table:
    numbers = range(1, NUM_ITEMS + 1)
    columns = {
        "qid": [f"Q{n}" for n in numbers],
        "label": [f"label {n}" for n in numbers],
        "description": [f"made-up thing that bears the number {n}" for n in numbers],
        "aliases": [[]] * NUM_ITEMS,
        "instance_of": [["Q5"]] * NUM_ITEMS,
        "picture": [None] * NUM_ITEMS,
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
