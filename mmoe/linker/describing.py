"""How a run chose descriptions, from what its stages wrote beside their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmoe.bm25 import TextStatistics
from mmoe.config.rank import RankParams
from mmoe.config.retrieve import RetrieveParams
from mmoe.descriptions import group_candidates
from mmoe.descriptions.lexical import candidate_texts
from mmoe.linker.describer import Describer, make_describer
from mmoe.linker.queries import QueryEncoder
from mmoe.records import Candidate, Entity, Mention, read_metadata, read_records
from mmoe.wikidata.name_table import NameTable


@dataclass(frozen=True)
class Describing:
    """How descriptions are chosen, whatever the knowledge base.

    Attributes:
        retrieve, rank: the sections of params.yaml with which the stages ran.
        labels: the label index in which candidates are looked up; None for the entities' own names.
        statistics: how rare words are among the candidates' texts, where rank.backend asks for it.
    """

    retrieve: RetrieveParams
    rank: RankParams
    labels: Path | None
    statistics: TextStatistics | None

    @classmethod
    def nothing(cls) -> Describing:
        """Nothing is retrieved, and no description chosen."""
        return cls(RetrieveParams(source="none"), RankParams(backend="none"), None, None)

    @classmethod
    def of_run(cls, kb: Path) -> Describing:
        """As stages retrieve and rank did it.

        Args:
            kb: `data/interim/<dataset>`; without candidates in it, nothing was retrieved.
        """
        found, chosen = kb / "candidates.parquet", kb / "descriptions.parquet"
        if not found.exists() or not chosen.exists():
            return cls.nothing()
        retrieve = RetrieveParams.model_validate(read_metadata(found))
        said = read_metadata(chosen)
        rank = RankParams.model_validate(
            {key: value for key, value in said.items() if key in RankParams.model_fields}
        )
        labels = kb / "labels" / retrieve.source if retrieve.source in ("index", "api") else None
        if retrieve.source != "none" and retrieve.index:
            labels = Path(retrieve.index)
        statistics = None
        if rank.backend == "lexical":
            mentions = read_records(kb / "mentions.parquet", Mention)
            candidates = read_records(kb / "candidates.parquet", Candidate)
            texts = candidate_texts(group_candidates(mentions, candidates))
            statistics = TextStatistics.of(texts)
        return cls(retrieve, rank, labels, statistics)

    @classmethod
    def of_settings(
        cls,
        settings: Mapping[str, Mapping[str, Any]],
        labels: Path,
        statistics: TextStatistics | None,
    ) -> Describing:
        """What `settings` says, with the label index at `labels` if there is one."""
        return cls(
            RetrieveParams.model_validate(settings["retrieve"]),
            RankParams.model_validate(settings["rank"]),
            labels if labels.is_dir() else None,
            statistics,
        )

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The sections, as JSON."""
        sections = {"retrieve": self.retrieve, "rank": self.rank}
        return {name: each.model_dump(mode="json") for name, each in sections.items()}

    def over(self, entities: Sequence[Entity], encoder: QueryEncoder) -> Describer | None:
        """What chooses descriptions beside a knowledge base; None if nothing is retrieved."""
        if self.retrieve.source == "none":
            return None
        names = NameTable.of_entities(entities) if self._indexed is None else self._indexed
        return make_describer(names, self.retrieve, self.rank, encoder, self.statistics)

    @cached_property
    def _indexed(self) -> NameTable | None:
        return None if self.labels is None else NameTable.of_index(self.labels)
