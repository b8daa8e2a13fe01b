"""The files of a made-up run, as the other stages would write them; awkward texts on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.description_ablation.worth import accuracies, by_backend, gains
from mmoe.descriptions import ablation_texts
from mmoe.evaluation.bootstrap import metric_intervals, paired_gain
from mmoe.evaluation.metrics import metrics_from_ranks
from mmoe.evaluation.ranks import Ranks
from mmoe.files import write_json
from mmoe.records import Candidate, Description, Entity, Mention, write_records
from mmoe.reporting.audit import LEAKS
from mmoe.reporting.inputs import ReportFiles
from mmoe.wikidata.counts import retrieval_counts

PUBLISHED = Path(__file__).parents[2] / "reports" / "published.yaml"
UNITS = ("text", "vision", "cross")

# Name, context around it; each of them has broken some page before.
AWKWARD = (
    ("<b>Bold</b> & Co", "The firm <b>Bold</b> & Co went public. <script>alert(1)</script>"),
    ("ירושלים", "הטקסט הזה מזכיר את ירושלים באמצע המשפט."),
    ("Dune 🏜️", "We watched Dune 🏜️ twice 👍🏽."),
    ("A|B `c`", "A|B `c` stands in a table\nover two lines."),
    ('"Weird" Al', "In 1984 'Weird' Al Yankovic sang; the word does not occur to the letter."),
    ("mercury", "Mercury has no moons, unlike mercurial friends."),
)


def write_run(
    root: Path,
    *,
    num_mentions: int = 12,
    num_entities: int = 40,
    units: tuple[str, ...] = UNITS,
    epochs: int = 4,
    untrained: bool = True,
) -> ReportFiles:
    """Writes all files of a run below `root` and says where they are."""
    files = _files(root)
    drawn = np.random.default_rng(0)
    ranks = np.minimum(drawn.geometric(0.6, size=num_mentions) ** 2, num_entities)
    before = np.minimum(ranks + drawn.integers(0, 3, size=num_mentions), num_entities)
    _write_images(files.raw)
    _write_records(files, num_mentions, num_entities, ranks)
    _write_ranks(files.ranks, ranks, before if untrained else None, num_entities, units)
    _write_metrics(files, ranks, before if untrained else None, num_entities)
    write_json(files.history, history(epochs, units))
    return files


def history(epochs: int, units: tuple[str, ...] = UNITS) -> dict[str, Any]:
    """A training history in which the last but one epoch is the best."""
    return {
        "epochs": [
            {
                "epoch": n,
                "step": 97 * n,
                "learning_rate": 5e-4 * (1 - n / (epochs + 1)),
                "loss": {term: 2.0 / (n + i) for i, term in enumerate(("overall", *units))},
                "valid_mrr": 88.0 - 0.4 * (n - max(1, epochs - 1)) ** 2,
                "expert_load": {unit: [0.31, 0.18, 0.29, 0.22] for unit in units},
            }
            for n in range(1, epochs + 1)
        ],
        "best_epoch": max(1, epochs - 1) if epochs else None,
        "untrained_valid_mrr": 85.2,
        "config": {
            "model": {"name": "mmoe", "units": list(units), "embed_dim": 96},
            "train": {"learning_rate": 5e-4, "seed": 43},
        },
    }


def _files(root: Path) -> ReportFiles:
    return ReportFiles(
        raw=root / "raw",
        mentions=root / "mentions.parquet",
        entities=root / "entities.parquet",
        candidates=root / "candidates.parquet",
        descriptions=root / "descriptions.parquet",
        worth=root / "descriptions.json",
        data=root / "data.json",
        retrieve_counts=root / "retrieve.json",
        retrieve_runs=root / "runs.json",
        rank_counts=root / "rank.json",
        metrics=root / "metrics.json",
        baselines=root / "baselines.json",
        history=root / "history.json",
        ranks=root / "ranks.parquet",
        published=PUBLISHED,
    )


def _data(num_mentions: int, num_entities: int) -> dict[str, Any]:
    sizes = {"sentences": num_mentions, "entities": num_entities, "mentions": 3 * num_mentions}
    splits = {f"{split}_mentions": num_mentions for split in ("train", "valid", "test")}
    leaks = {name: i for i, name in enumerate(LEAKS)} | {"clean": num_mentions - 2}
    return {
        "table1": sizes
        | {"entities_with_image": num_entities // 2, "mentions_with_image": 1}
        | splits,
        "text": {
            "limit_tokens": 50,
            "mention_tokens_mean": 31.39,
            "mention_truncated_percent": 10.57,
        },
        "names": {"words": 7, "equal_to_gold_name_percent": None},
        "images": {"files": 3, "unreadable_files": 1},
        "read": {"mentions_read": 3 * num_mentions, "nil": 3},
        "leaks": dict.fromkeys(("train", "valid", "test"), leaks),
    }


def _write_images(raw: Path) -> None:
    raw.mkdir(parents=True)
    Image.new("RGB", (640, 320), (40, 90, 160)).save(raw / "wide.jpg")
    Image.new("RGBA", (20, 30), (200, 20, 20, 90)).save(raw / "clear.png")
    (raw / "broken.jpg").write_bytes((raw / "wide.jpg").read_bytes()[:200])


def _write_records(
    files: ReportFiles, num_mentions: int, num_entities: int, ranks: NDArray[np.int64]
) -> None:
    images = ("wide.jpg", "clear.png", "broken.jpg", "lost.jpg", None)
    names = [AWKWARD[i % len(AWKWARD)] for i in range(max(num_mentions, num_entities))]
    entities = [
        Entity(f"Q{i + 1}", names[i][0], "Sex: male.", ("clear.png",) if i % 2 else ())
        for i in range(num_entities)
    ]
    mentions = [
        Mention(
            *(f"m{i}", f"s{i}", *names[i], images[i % len(images)]),
            *(f"Q{i % num_entities + 1}", True, "test"),
        )
        for i in range(num_mentions)
    ]
    descriptions = [
        Description(
            m.mention_id, m.gold_qid, f"<i>{m.surface_form}</i>", "lexical", 1.5, 3, is_gold=True
        )
        if i % 2
        else Description(m.mention_id, None, None, "lexical", None, 0, is_gold=None)
        for i, m in enumerate(mentions)
    ]
    write_records(files.mentions, Mention, mentions)
    write_records(files.entities, Entity, entities)
    write_records(files.descriptions, Description, descriptions)
    write_json(files.data, _data(num_mentions, num_entities))
    candidates = [
        Candidate(m.mention_id, 0, "Q1", m.surface_form, "", "label", None) for m in mentions[::2]
    ]
    write_records(files.candidates, Candidate, candidates)
    counts = retrieval_counts(mentions, candidates)
    retrieval = {
        "source": "kb",
        "note": "<entity text>",
        "sources": {"kb": counts, "index": counts},
    }
    write_json(files.retrieve_counts, retrieval)
    run = {"seconds": 1.25, "requests": {"search": 3, "entities": 4}}
    write_json(files.retrieve_runs, {"kb": run, "index": run | {"requests": {}}})
    write_json(files.worth, _worth(mentions, descriptions, ranks))
    write_json(files.rank_counts, {"backend": "lexical", "chosen": 7, "share_right": 0.875})


def _worth(
    mentions: list[Mention], descriptions: list[Description], ranks: NDArray[np.int64]
) -> dict[str, Any]:
    """What stage benefit writes: the run's own choices, none, and perfect ones."""
    own = [replace(record, is_gold=record.qid is not None) for record in descriptions]
    none = [replace(r, qid=None, description=None, backend="none", is_gold=None) for r in own]
    perfect = [
        replace(
            r, qid=m.gold_qid, description="the answer", backend="oracle_candidate", is_gold=True
        )
        for r, m in zip(own, mentions, strict=True)
    ]
    choices = by_backend([*own, *none, *perfect])
    texts = ablation_texts(mentions, [*own, *none, *perfect])
    better = {None: 2, "the answer": 0}
    place = {m.mention_id: int(rank) for m, rank in zip(mentions, ranks, strict=True)}
    found = ChoiceTexts.of(texts, mentions)
    of_texts = np.array(
        [
            place[m.mention_id] + better.get(t.description, 1)
            for t, m in zip(texts, found.mentions, strict=True)
        ]
    )
    systems = {"mmoe": Ranks(of_texts, of_texts), "BM25, word": Ranks(of_texts + 1, of_texts + 1)}
    return {
        "mentions": len(mentions),
        "with_gold_candidate": len(mentions),
        "used": "lexical",
        "choices": accuracies(choices, set(place)),
        "systems": gains(choices, found, systems, samples=200),
    }


def _write_ranks(
    path: Path,
    ranks: np.ndarray[Any, np.dtype[np.int64]],
    before: np.ndarray[Any, np.dtype[np.int64]] | None,
    num_entities: int,
    units: tuple[str, ...],
) -> None:
    gold = [i % num_entities for i in range(len(ranks))]
    top = [
        [
            {"qid": f"Q{entity + 1}", "overall": 3.0 - 0.5 * place}
            | {unit: 2.5 - 0.5 * place if unit in units else None for unit in UNITS}
            for place, entity in enumerate(_best_entities(gold[i], int(rank), num_entities))
        ]
        for i, rank in enumerate(ranks)
    ]
    scores = [(name, pa.float64()) for name in ("overall", *UNITS)]
    columns = {
        "mention_id": pa.array([f"m{i}" for i in range(len(ranks))]),
        "gold_qid": pa.array([f"Q{i + 1}" for i in gold]),
        "rank": pa.array(ranks, pa.int64()),
        "rank_optimistic": pa.array(ranks, pa.int64()),
        "untrained_rank": pa.array([None] * len(ranks) if before is None else before, pa.int64()),
        "top": pa.array(top, pa.list_(pa.struct([("qid", pa.string()), *scores]))),
    }
    pq.write_table(pa.table(columns), path)


def _best_entities(gold: int, rank: int, num_entities: int) -> list[int]:
    """Ten entities, the gold one at its rank if that is among them."""
    others = [i for i in range(num_entities) if i != gold]
    return [*others[: rank - 1], gold, *others[rank - 1 :]][:10]


def _write_metrics(
    files: ReportFiles,
    ranks: np.ndarray[Any, np.dtype[np.int64]],
    before: np.ndarray[Any, np.dtype[np.int64]] | None,
    num_entities: int,
) -> None:
    trained = Ranks(ranks, ranks)
    metrics: dict[str, float] = _with_intervals(trained) | {
        "num_mentions": len(ranks),
        "num_entities": num_entities,
        "num_left_out": 2,
    }
    if before is not None:
        untrained = Ranks(before, before)
        gain = paired_gain(trained, untrained, samples=200, seed=1)
        metrics |= {f"untrained_{k}": v for k, v in _with_intervals(untrained).items()}
        metrics |= {"gain_mrr": gain.mean, "gain_mrr_low": gain.low, "gain_mrr_high": gain.high}
    write_json(files.metrics, metrics)
    worse = Ranks(ranks + 1, ranks + 1)
    write_json(
        files.baselines, {"exact_name": _with_intervals(worse), "bm25": _with_intervals(worse)}
    )


def _with_intervals(ranks: Ranks) -> dict[str, float]:
    intervals = metric_intervals(ranks, samples=200, seed=1)
    return metrics_from_ranks(ranks, hits_at=[1, 3, 5, 10]) | {
        "mrr_low": intervals.mrr.low,
        "mrr_high": intervals.mrr.high,
        "hits_at_1_low": intervals.hits_at_1.low,
        "hits_at_1_high": intervals.hits_at_1.high,
    }
