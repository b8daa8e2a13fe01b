"""A data set of twenty mentions, cut from the sample, and the parameters of a run that takes seconds."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.config.sheets import DEFAULTS
from tests.imports import ROOT

SAMPLE = ROOT / "data/raw/sample"
TAKEN = {"train": 10, "valid": 5, "test": 5}
SMALL: dict[str, dict[str, Any]] = {
    # Without the residual the scores depend on the weights, so that knobs of the model show in metrics.
    "model": {"embed_dim": 16, "residual": False},
    "train": {"max_epochs": 2, "min_steps": 0, "batch_size": 4, "precision": "float32"},
    "evaluate": {"bootstrap_samples": 100},
    "report": {"num_examples": 3},
    "runtime": {"device": "cpu"},
}


def write_params(path: Path, **sections: dict[str, Any]) -> None:
    """The project's parameters with those of a small run, and then with `sections`."""
    content = copy.deepcopy(DEFAULTS) | {"datasets": ["tiny"]}
    for changes in (SMALL, sections):
        for name, values in changes.items():
            content[name] = content.get(name, {}) | values
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False  # a knob a line, so that tests can edit one
    yaml.dump(content, path)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def write_tiny(raw: Path) -> None:
    """The first mentions of each split, their entities and images; one image is no image."""
    mentions = read_jsonl(SAMPLE / "mentions.jsonl")
    of_split = {split: [m for m in mentions if m["split"] == split] for split in TAKEN}
    mentions = [m for split, number in TAKEN.items() for m in of_split[split][:number]]
    gold = {m["gold_qid"] for m in mentions}
    entities = [e for e in read_jsonl(SAMPLE / "entities.jsonl") if e["qid"] in gold]
    raw.mkdir(parents=True)
    write_jsonl(raw / "mentions.jsonl", mentions)
    write_jsonl(raw / "entities.jsonl", entities)
    shutil.copy(SAMPLE / "wikidata.jsonl", raw)
    shown = [m["image"] for m in mentions] + [p for e in entities for p in e["images"]]
    for name in {name for name in shown if name and (SAMPLE / name).is_file()}:
        (raw / name).parent.mkdir(exist_ok=True)
        shutil.copy(SAMPLE / name, raw / name)
    (raw / corrupt_image()).write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")


def corrupt_image() -> str:
    """The image that can't be decoded: that of the first mention."""
    name: str = read_jsonl(SAMPLE / "mentions.jsonl")[0]["image"]
    return name
