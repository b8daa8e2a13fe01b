"""Measures bundles on the test mentions of a data set.

usage  python -m tools.museum.measure DATASET BUNDLE [BEFORE]     with BEFORE also what BUNDLE gains over it
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmoe import Linker
from mmoe.datasets.raw import RawDataset
from mmoe.datasets.registry import read_dataset
from mmoe.evaluation.estimates import Estimate, hits_at, mean_reciprocal_rank, paired_gain
from mmoe.evaluation.ranks import Ranks
from mmoe.linker import Query

SAMPLES = 2000  # of the bootstrap


def ranks_of(bundle: Path, dataset: RawDataset, folder: Path) -> Ranks:
    """The rank of the right entity of each test mention; the last one where no shortlist holds it."""
    linker = Linker.from_pretrained(bundle, device="cpu")
    number, reranker = len(linker.entities), linker.engine.reranker
    depth = number if reranker is None else min(number, reranker.depth)
    mentions = [each for each in dataset.mentions if each.split == "test"]
    queries = [
        Query(each.surface_form, each.context, each.image and folder / each.image)
        for each in mentions
    ]
    results = linker.link_many(queries, top_k=depth)
    ranks = []
    for mention, result in zip(mentions, results, strict=True):
        scores = {link.qid: link.score for link in result}
        own = scores.pop(str(mention.gold_qid), None)
        if own is None:
            ranks.append((number, number))
        else:
            others = np.array(list(scores.values()))
            ranks.append((1 + int((others >= own).sum()), 1 + int((others > own).sum())))
    return Ranks(*np.array(ranks, dtype=np.int64).T)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("dataset", "bundle"):
        parser.add_argument(name, type=Path)
    parser.add_argument("before", type=Path, nargs="?")
    asked = parser.parse_args()
    dataset = read_dataset(asked.dataset, "own")
    ranks = ranks_of(asked.bundle, dataset, asked.dataset)
    shown = [
        ("MRR", mean_reciprocal_rank(ranks.pessimistic, SAMPLES)),
        ("Hits@1", hits_at(ranks.pessimistic, 1)),
    ]
    if asked.before is not None:
        before = ranks_of(asked.before, dataset, asked.dataset)
        shown.append(("gain in MRR", paired_gain(ranks, before, SAMPLES)))
    print(f"{len(ranks)} test mentions\n{_lines(shown)}")


def _lines(shown: Sequence[tuple[str, Estimate]]) -> str:
    return "\n".join(
        f"{name}: {each.value:.1f} (95 %: {each.low:.1f} to {each.high:.1f})"
        for name, each in shown
    )


if __name__ == "__main__":
    main()
