"""Runs of the pipeline on the sample in a folder of its own, with other knobs."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.layout import PARTS
from tests.config.sheets import DEFAULTS
from tests.imports import ROOT
from tests.pipeline.project import run

Variants = dict[str, dict[str, dict[str, Any]]]  # changes to params.yaml, by what they are called

# What the report of the sample shows, as changes to params.yaml.
VARIANTS: Variants = {
    "no descriptions": {"rank": {"backend": "none"}},
    "full": {},
    "text only": {"model": {"units": ["text"]}},
    "released router": {"moe": {"router": "released"}},
}
# The same with other descriptions; the last three are no systems but bounds.
DESCRIBED: Variants = {
    f"{backend} descriptions": {"rank": {"backend": backend}}
    for backend in ("first", "embedding", "random", "oracle_candidate", "oracle_description")
}


class SampleProject:
    """A project with the sample; features are encoded once for each ranker of descriptions."""

    def __init__(self, root: Path) -> None:
        self.root, self._backend = root, ""
        (root / "data/raw").mkdir(parents=True)
        (root / "data/raw/sample").symlink_to(ROOT / "data/raw/sample")

    def metrics(self, seed: int, **changes: dict[str, Any]) -> dict[str, float]:
        """MRR of one run, and MRR and Hits@1 of each part of the mentions."""
        content = copy.deepcopy(DEFAULTS)
        sections = {"train": {"seed": seed}, "evaluate": {"untrained": False}}
        for name, values in (*sections.items(), *changes.items()):
            content[name] |= values
        with _inside(self.root):
            YAML(typ="safe", pure=True).dump(content, Path("params.yaml"))
            self._prepare(content["rank"]["backend"])
            run("train", "sample")
            run("evaluate", "sample")
            run("metrics", "sample")
            found = json.loads(Path("reports/sample/evaluation.json").read_text())
        numbers = {"mrr": found["system"]["mrr"]["value"]}
        for name, part in found["breakdowns"].items():
            numbers[f"{name}_mrr"] = part["mrr"]["value"]
            numbers[f"{name}_hits_at_1"] = part["hits_at"]["1"]["value"]
        return numbers

    def baselines(self) -> dict[str, dict[str, float]]:
        """MRR of the baselines with the descriptions of the last run."""
        with _inside(self.root):
            text = Path("reports/sample/evaluation.json").read_text()
        found = json.loads(text)["baselines"]
        return {name: {"mrr": metrics["mrr"]["value"]} for name, metrics in found.items()}

    def _prepare(self, backend: str) -> None:
        """Everything before training, as far as the ranker makes it necessary."""
        if not self._backend:
            run("ingest", "sample")
            run("retrieve", "sample")
        if backend != self._backend:
            run("rank", "sample")
            run("audit", "sample")
            for part in PARTS if not self._backend else ("mention_text",):
                run("encode", "sample", part)
            run("baselines", "sample")
        self._backend = backend


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
