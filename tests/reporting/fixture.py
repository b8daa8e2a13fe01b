"""The files of a made-up run, as the other stages would write them; awkward texts on purpose."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from mmoe.evaluation.metrics import RankedSystems, run_metrics
from mmoe.evaluation.ranks import Ranks
from mmoe.files import write_sealed_json
from mmoe.records import Candidate, Description, Entity, Mention, write_records
from mmoe.reporting.data import LEAKS
from mmoe.reporting.inputs import Inputs, read_inputs
from mmoe.sealed_parquet import write_sealed
from mmoe.wikidata.counts import retrieval_counts

PUBLISHED = Path(__file__).parents[2] / "reports" / "published.yaml"
UNITS = ("text", "vision", "cross")
SETTINGS: dict[str, dict[str, Any]] = {
    "data": {"split": "given", "max_mentions": None},
    "retrieve": {"source": "kb", "languages": ["en", "de"]},
    "rank": {"backend": "lexical", "model": "never shown"},
    "encode": {"model": "openai/clip", "max_text_length": 50, "max_pixels": 1_000_000},
}
GAIN = {"gain_mrr": -2.5, "gain_mrr_low": -4.96, "gain_mrr_high": 0.0}
GAP = {"gap_closed": 0.4951, "gap_closed_low": -0.02, "gap_closed_high": 0.61}
VERSIONS = {"mmoe": "0.2", "torch": "2.9+cpu"}

RERANKER = {
    "recall": 99.5,
    "valid_mrr": {"reranked": 93.8},
    "weights": {
        "reranked": {
            f"feature <{n}>": {"weight": (-1) ** n * n / 4, "missing": n % 2, "mean": 0, "scale": 1}
            for n in range(20)
        }
    },
    "calibrated": {
        "bins": [
            {"probability": 0.2, "right": 0.3, "mentions": 10},
            {"probability": 0.9, "right": 0.85, "mentions": 40},
        ],
        "ece": 4.25,
        "mentions": 50,
        "nil": {"precision": 80.0, "recall": 60.0, "f1": 68.6, "mentions": 10, "few": True},
    },
}

PLACES = {
    "mentions": "data/interim/mentions.parquet",
    "entities": "data/interim/entities.parquet",
    "candidates": "data/interim/candidates.parquet",
    "descriptions": "data/interim/descriptions.parquet",
    "retrieval": "data/interim/retrieve.json",
    "ranking": "data/interim/rank.json",
    "history": "data/models/history.json",
    "reranker": "data/models/reranker.json",
    "ranks": "data/ranks/ranks.parquet",
    "evaluation": "reports/evaluation.json",
    "data": "reports/data.json",
    "ablation": "reports/description_ablation.json",
}

# Name, context around it; each of them has broken some page before.
AWKWARD = (
    ("<b>Bold</b> & Co", "The firm <b>Bold</b> & Co went public. <script>alert(1)</script>"),
    ("ירושלים", "הטקסט הזה מזכיר את ירושלים באמצע המשפט."),
    ("Dune 🏜️", "We watched Dune 🏜️ twice 👍🏽."),
    ("A|B `c`", "A|B `c` stands in a table\nover two lines."),
    ('"Weird" Al', "In 1984 'Weird' Al Yankovic sang; the name does not occur to the letter."),
    ("mercury", "Mercury has no moons, unlike mercurial friends."),
)


@dataclass(frozen=True)
class Run:
    """The files of a run that tests take away or change."""

    root: Path
    dataset: str

    def __getattr__(self, name: str) -> Path:
        folder, _, file = PLACES[name].rpartition("/")
        return self.root / folder / self.dataset / file


def write_run(
    root: Path,
    *,
    num_mentions: int = 12,
    num_entities: int = 40,
    units: tuple[str, ...] = UNITS,
    epochs: int = 4,
    untrained: bool = True,
    dataset: str = "sample",
) -> Run:
    """Writes all files of a run below `root` and says where they are."""
    files = Run(root, dataset)
    drawn = np.random.default_rng(0)
    ranks = np.minimum(drawn.geometric(0.6, size=num_mentions) ** 2, num_entities)
    before = np.minimum(ranks + drawn.integers(0, 3, size=num_mentions), num_entities)
    _write_images(root / "data/raw" / dataset)
    (root / "reports").mkdir(exist_ok=True)
    shutil.copy(PUBLISHED, root / "reports")
    _write_records(files, num_mentions, num_entities)
    _write_ranks(files, ranks, before if untrained else None, num_entities, units)
    _write_metrics(files.evaluation, ranks, before if untrained else None)
    write_sealed_json(files.history, history(epochs, units))
    write_sealed_json(files.reranker, RERANKER)
    return files


def read_run(files: Run) -> Inputs:
    """Reads a run as the stage does."""
    return read_inputs(files.dataset, SETTINGS, VERSIONS, files.root)


def history(epochs: int, units: tuple[str, ...] = UNITS) -> dict[str, Any]:
    """A training history in which the last but one epoch is the best."""
    return {
        "epochs": [
            {
                "epoch": n,
                "step": 97 * n,
                "learning_rate": 5e-4 * (1 - n / (epochs + 1)),
                "loss": {term: 2.0 / (n + i) for i, term in enumerate(("overall", *units))},
                "held_out_mrr": 88.0 - 0.4 * (n - max(1, epochs - 1)) ** 2,
                "expert_load": {unit: [0.31, 0.18, 0.29, 0.22] for unit in units},
            }
            for n in range(1, epochs + 1)
        ],
        "best_epoch": max(1, epochs - 1) if epochs else None,
        "untrained_held_out_mrr": 85.2,
        "config": {
            "model": {"units": list(units), "name": "mmoe", "embed_dim": 96},
            "moe": {"num_experts": 4, "top_k": 3},
            "train": {"learning_rate": 5e-4, "seed": 43},
        },
    }


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


def _write_records(files: Run, num_mentions: int, num_entities: int) -> None:
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
    write_sealed_json(files.data, _data(num_mentions, num_entities))
    candidates = [
        Candidate(m.mention_id, 0, "Q1", m.surface_form, "", "label", None) for m in mentions[::2]
    ]
    records = files.mentions, files.entities
    write_records(files.candidates, Candidate, candidates, made_of=records)
    choice = files.mentions, files.candidates
    write_records(files.descriptions, Description, descriptions, made_of=choice)
    counts = retrieval_counts(mentions, candidates)
    sources = {"kb": counts, "index": counts}
    retrieval = {"source": "kb", "note": "<entity text>", "sources": sources}
    write_sealed_json(files.retrieval, retrieval)
    write_sealed_json(files.ablation, ablation(GAIN | GAP))
    write_sealed_json(files.ranking, {"backend": "lexical", "chosen": 7, "share_right": 0.875})


def ablation(more: dict[str, Any]) -> dict[str, Any]:
    """What stage description_ablation writes: the run's own backend and none, for one system."""
    shares = {
        f"{name}{end}": value
        for name in ("share_right", "share_right_where_possible", "share_right_of_several")
        for end, value in (("", 0.25), ("_low", 0.1), ("_high", 0.5))
    }
    numbers = {"mrr": 50.0, "mrr_low": 40.04, "mrr_high": 60.0} | more
    return {
        "mentions": 1200,
        "with_gold_candidate": 900,
        "used": "openai",
        "choices": {
            "openai": {"chosen": 1200, **shares},
            "none": {"chosen": 0, **dict.fromkeys(shares)},
        },
        "systems": {"mmoe": {"openai": numbers, "none": numbers}},
    }


def _write_ranks(
    files: Run,
    ranks: NDArray[np.int64],
    before: NDArray[np.int64] | None,
    num_entities: int,
    units: tuple[str, ...],
) -> None:
    gold = [i % num_entities for i in range(len(ranks))]
    top = [
        [
            {"qid": f"Q{entity + 1}", "overall": 3.0 - 0.5 * place}
            | dict.fromkeys(units, 2.5 - 0.5 * place)
            for place, entity in enumerate(_best_entities(gold[i], int(rank), num_entities))
        ]
        for i, rank in enumerate(ranks)
    ]
    scores = [(name, pa.float64()) for name in ("overall", *units)]
    own = [{"overall": -1.0 * rank} | dict.fromkeys(units, -0.25) for rank in ranks]
    columns = {
        "mention_id": pa.array([f"m{i}" for i in range(len(ranks))]),
        "gold_qid": pa.array([f"Q{i + 1}" for i in gold]),
        "rank": pa.array(ranks, pa.int64()),
        "rank_optimistic": pa.array(ranks, pa.int64()),
        "untrained_rank": pa.array([None] * len(ranks) if before is None else before, pa.int64()),
        "candidate_rank": pa.array(ranks, pa.int64()),
        "candidate_rank_optimistic": pa.array(ranks, pa.int64()),
        "gold": pa.array(own, pa.struct(scores)),
        "top": pa.array(top, pa.list_(pa.struct([("qid", pa.string()), *scores]))),
    }
    write_sealed(files.ranks, pa.table(columns), (files.mentions, files.entities))


def _best_entities(gold: int, rank: int, num_entities: int) -> list[int]:
    """Six entities, the gold one at its rank if that is among them."""
    others = [i for i in range(num_entities) if i != gold]
    return [*others[: rank - 1], gold, *others[rank - 1 :]][:6]


def _write_metrics(path: Path, ranks: NDArray[np.int64], before: NDArray[np.int64] | None) -> None:
    worse = Ranks(ranks + 1, ranks + 1)
    half = np.arange(len(ranks)) < len(ranks) / 2
    found = run_metrics(
        RankedSystems(Ranks(ranks, ranks), {"exact name": worse, "BM25": worse}),
        RankedSystems(Ranks(ranks, ranks), {"order of retrieval": worse}),
        None if before is None else Ranks(before, before),
        {"reranked": Ranks(ranks, ranks)},
        {"clean": half, "evidence_text": half, "unseen_gold": ~half & half},
        hits=(1, 3, 5, 10),
        samples=200,
        num_left_out=2,
    )
    write_sealed_json(path, found.to_json())
