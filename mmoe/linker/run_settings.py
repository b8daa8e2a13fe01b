"""How a run chose descriptions, from what its stages wrote beside their records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
class DescriberSettings:
    """Sections of params.yaml that decide how descriptions are chosen."""

    retrieve: RetrieveParams
    rank: RankParams

    @classmethod
    def of_run(cls, kb: Path) -> DescriberSettings:
        """Those with which stages retrieve and rank ran.

        Args:
            kb: `data/interim/<dataset>`; without candidates in it, nothing was retrieved.
        """
        found, chosen = kb / "candidates.parquet", kb / "descriptions.parquet"
        if not found.exists() or not chosen.exists():
            return cls(RetrieveParams(source="none"), RankParams(backend="none"))
        retrieve, rank = read_metadata(found), read_metadata(chosen)
        known = {key: value for key, value in rank.items() if key in RankParams.model_fields}
        return cls(RetrieveParams.model_validate(retrieve), RankParams.model_validate(known))

    def labels(self, kb: Path) -> Path | None:
        """The label index among whose names stage retrieve looked; None for the entities' own, or none."""
        if self.retrieve.index:
            return Path(self.retrieve.index)
        source = self.retrieve.source
        return kb / "labels" / source if source in ("index", "api") else None

    def statistics(self, kb: Path) -> TextStatistics | None:
        """How rare words are among the candidates' texts, where rank.backend asks for it."""
        if self.rank.backend != "lexical":
            return None
        mentions = read_records(kb / "mentions.parquet", Mention)
        candidates = read_records(kb / "candidates.parquet", Candidate)
        return TextStatistics.of(candidate_texts(group_candidates(mentions, candidates)))

    def describer(
        self,
        entities: Sequence[Entity],
        labels: Path | None,
        encoder: QueryEncoder,
        statistics: TextStatistics | None,
    ) -> Describer | None:
        """What chooses descriptions with these settings; None if nothing is retrieved.

        Args:
            labels: folder of a label index; None for the entities' own names.
        """
        if self.retrieve.source == "none":
            return None
        names = NameTable.of_entities(entities) if labels is None else NameTable.of_index(labels)
        return make_describer(names, self.retrieve, self.rank, encoder, statistics)
