"""Which file of a data set lies where: the same places that dvc.yaml names (a test holds them equal)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# In the order of the pipeline.
STAGES = (
    "fingerprints",
    "ingest",
    "retrieve",
    "rank",
    "audit",
    "tune",
    "encode",
    "baselines",
    "train",
    "rerank",
    "evaluate",
    "description_ablation",
    "metrics",
    "report",
    "bundle",
)
PARTS = ("mention_text", "mention_image", "mention_context", "entity_text", "entity_image")
MATCHER_PARTS = tuple(part for part in PARTS if part != "mention_context")  # which matchers read
FINGERPRINTS = Path("data/fingerprints")  # of what each stage computes with, for all data sets


@dataclass(frozen=True)
class Layout:
    """The places of one data set, relative to the project's root."""

    dataset: str

    @property
    def raw(self) -> Path:
        return Path("data/raw") / self.dataset

    @property
    def interim(self) -> Path:
        return Path("data/interim") / self.dataset

    @property
    def mentions(self) -> Path:
        return self.interim / "mentions.parquet"

    @property
    def entities(self) -> Path:
        return self.interim / "entities.parquet"

    @property
    def records(self) -> tuple[Path, Path]:
        """What every other table of the data set is made of, and stays valid with."""
        return self.mentions, self.entities

    @property
    def images(self) -> Path:
        return self.interim / "images.parquet"

    @property
    def ingest_counts(self) -> Path:
        return self.interim / "ingest.json"

    @property
    def labels(self) -> Path:
        return self.interim / "labels"

    @property
    def candidates(self) -> Path:
        return self.interim / "candidates.parquet"

    @property
    def retrieve_counts(self) -> Path:
        return self.interim / "retrieve.json"

    @property
    def descriptions(self) -> Path:
        return self.interim / "descriptions.parquet"

    @property
    def choice(self) -> tuple[Path, Path]:
        """What descriptions are chosen for, and from."""
        return self.mentions, self.candidates

    @property
    def ledger(self) -> Path:
        return self.interim / "ledger.jsonl"

    @property
    def rank_counts(self) -> Path:
        return self.interim / "rank.json"

    @property
    def leaks(self) -> Path:
        return self.interim / "leaks.parquet"

    def left_out(self, leak_policy: str) -> Path:
        """The mentions that train leaves out: `keep` is there from ingest on, `drop` needs the audit."""
        return self.interim / "left_out" / f"{leak_policy}.json"

    def inputs(self, part: str) -> Path:
        return self.interim / "inputs" / f"{part}.parquet"

    @property
    def tuned(self) -> Path:
        return Path("data/tuned") / self.dataset

    @property
    def features(self) -> Path:
        return Path("data/features") / self.dataset

    def made_of(self, part: str) -> Path:
        """Beside a part's shards: of which input they were made."""
        return self.features / part / "made_of.json"

    @property
    def features_base(self) -> Path:
        return self.features / "base"

    @property
    def model(self) -> Path:
        return Path("data/models") / self.dataset

    @property
    def ranks(self) -> Path:
        return Path("data/ranks") / self.dataset

    @property
    def report(self) -> Path:
        return Path("reports") / self.dataset

    @property
    def bundle(self) -> Path:
        return Path("data/bundles") / self.dataset

    @property
    def log(self) -> Path:
        """One JSON line a finished run of a stage: when, how long, with how many threads and which kernel."""
        return Path(".mmoe/log") / f"{self.dataset}.jsonl"

    @property
    def locks(self) -> Path:
        return Path(".mmoe/locks") / self.dataset

    def work(self, stage: str) -> Path:
        """Outside every stage's outs: what must survive a kill (DVC deletes outs before a stage)."""
        return Path(".mmoe") / stage / self.dataset
