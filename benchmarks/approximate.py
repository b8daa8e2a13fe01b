"""Approximate search against the exact best entities: recall, time, space.

usage  python -m benchmarks.approximate [DATASET] [--entities N] [--mentions M]

With the name of a data set that has been trained in this folder, it measures on that, on its first N
entities; otherwise on random features, as benchmarks.ranks does. Recall@k is the share of a mention's exact k
best entities that are among the k found. The mentions that it is measured on are not those that the search
was built with.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from mmoe.linking.approximate import PROBED, SHORTLIST, ApproximateSearch
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.ranking import best_entities

from benchmarks.measure import print_result
from benchmarks.ranks import one_by_one, random, trained

TOP = 100
# Shortlist, share of the lists.
SETTINGS = ((100, 0.05), (SHORTLIST, 0.05), (SHORTLIST, PROBED), (2000, 0.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("dataset", nargs="?")
    parser.add_argument("--entities", type=int, default=sys.maxsize)
    parser.add_argument("--mentions", type=int, default=1280)
    chosen = parser.parse_args()
    keep_memory_flat()
    open_setting = trained if chosen.dataset else random
    setting = open_setting(chosen.dataset, chosen.entities, chosen.mentions)
    half = len(setting.batches) // 2
    start = time.perf_counter()
    exact = best_entities(setting.index, setting.batches[:half], TOP).top_Bn
    print(f"exact best {TOP}: {1000 * (time.perf_counter() - start) / len(exact):.1f} ms a mention")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        start = time.perf_counter()
        search = ApproximateSearch.build_in(
            Path(folder) / "search", "", setting.index, setting.batches[half:]
        )
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        print(f"built in {seconds:.0f} s, {size / 1e6:.0f} MB")
        print("| shortlist | lists | recall@1 | @10 | @100 | one mention, ms: p50 | p99 |")
        print("|---|---|---|---|---|---|---|")
        for shortlist, probed in SETTINGS:
            found = search.best(setting.batches[:half], TOP, shortlist, probed).top_Bn
            recalls = [recall(found, exact, k) for k in (1, 10, TOP)]
            find = partial(search.best, shortlist=shortlist, probed=probed)
            p50, p99 = 1000 * np.percentile(one_by_one(setting, find), [50, 99])
            shown = " | ".join(f"{each:.2f}" for each in recalls)
            print(f"| {shortlist} | {probed:.0%} | {shown} | {p50:.1f} | {p99:.1f} |", flush=True)
        ours = 1000 * np.median(one_by_one(setting, search.best))
        plain = 1000 * np.median(one_by_one(setting, partial(best_entities, setting.index)))
    print_result("approximate.one_mention", ours, "ms", plain, higher_is_better=False)


def recall(found: np.ndarray, exact: np.ndarray, k: int) -> float:
    """Percent of the exact best k that are among the best k found."""
    shared = [len(np.intersect1d(a[:k], b[:k])) for a, b in zip(found, exact, strict=True)]
    share: float = 100 * float(np.mean(shared)) / min(k, exact.shape[1])
    return share


if __name__ == "__main__":
    main()
