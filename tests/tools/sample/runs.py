"""Runs of the pipeline on the sample in a folder of its own, with other knobs."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from mmoe.evaluation.reading import read_metrics

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
        """The matcher's metrics in one run; those of a part of the mentions begin with its name."""
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
            table = read_metrics("sample").set_index("name")
        found = {str(name): value for name, value in table.loc["matcher"].items()}
        for part, row in table[table["kind"] == "breakdown"].iterrows():
            found |= {f"{part}_{name}": value for name, value in row.items()}
        return found

    def baselines(self) -> dict[str, dict[str, float]]:
        """The baselines' metrics with the descriptions of the last run."""
        with _inside(self.root):
            table = read_metrics("sample").set_index("name")
        rows = table[table["kind"] == "baseline"].iterrows()
        return {str(name): {str(key): value for key, value in row.items()} for name, row in rows}

    def _prepare(self, backend: str) -> None:
        """Everything before training, as far as the ranker makes it necessary."""
        if not self._backend:
            run("ingest", "sample")
            run("retrieve", "sample")
        if backend != self._backend:
            run("rank", "sample")
            run("audit", "sample")
            parts = [part for part in PARTS if part != "ablation_text"]
            for part in parts if not self._backend else ("mention_text",):
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
