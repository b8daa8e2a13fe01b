"""What a plan is made of, and where a data set's files lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TO_DO, DONE = "to do", "done"


@dataclass(frozen=True)
class Step:
    """A stage of the pipeline, or a part of one.

    Attributes:
        rows: texts, images, steps or entities that it goes through; None where nothing was counted.
        kept_bytes: of the files that it leaves; of a step that is done, the real ones.
        passing_bytes: of files that it needs on the way and deletes, at their most.
        seconds: that it takes; None where that is not estimated.
        features: whether its files are features, of which DVC may keep several copies.
        state: of TO_DO, DONE.
        note: what else is to be said, for example that something is counted too high.
    """

    stage: str
    part: str = ""
    rows: int | None = None
    kept_bytes: int = 0
    passing_bytes: int = 0
    seconds: float | None = None
    features: bool = False
    state: str = TO_DO
    note: str = ""


class Places:
    """As `pipeline.layout` has them, relative to the project's root; a test holds them equal."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self.raw, interim = Path("data/raw") / dataset, Path("data/interim") / dataset
        self.mentions, self.entities = interim / "mentions.parquet", interim / "entities.parquet"
        self.images = interim / "images.parquet"
        self.candidates, self.leaks = interim / "candidates.parquet", interim / "leaks.parquet"
        self._inputs = interim / "inputs"
        self.features, self.model = Path("data/features") / dataset, Path("data/models") / dataset
        self.index = Path(".mmoe/index") / dataset
        ranks = Path("data/ranks") / dataset
        self.baselines, self.reranked = ranks / "baselines.parquet", ranks / "reranked.parquet"
        self.ranks, self.page = ranks / "ranks.parquet", Path("reports") / dataset / "report.html"
        self.description_ablation = ranks / "description_ablation.parquet"

    def inputs(self, part: str) -> Path:
        """What the encoder reads of a part."""
        return self._inputs / f"{part}.parquet"
