"""How a run chose descriptions, from what its stages wrote beside their records."""

from __future__ import annotations

from collections.abc import Sequence
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


def describer_of_run(
    kb: Path, entities: Sequence[Entity], encoder: QueryEncoder
) -> Describer | None:
    """What chooses descriptions as stages retrieve and rank did; None if they found no candidates.

    Args:
        kb: `data/interim/<dataset>`.
    """
    candidates = kb / "candidates.parquet"
    if not candidates.exists():
        return None
    retrieve = RetrieveParams.model_validate(read_metadata(candidates))
    if (names := names_of_run(kb, entities, retrieve)) is None:
        return None
    about = read_metadata(kb / "descriptions.parquet")
    known = {key: value for key, value in about.items() if key in RankParams.model_fields}
    rank = RankParams.model_validate(known)
    return make_describer(names, retrieve, rank, encoder, statistics_of_run(kb, rank))


def names_of_run(
    kb: Path, entities: Sequence[Entity], retrieve: RetrieveParams
) -> NameTable | None:
    """The names among which stage retrieve looked."""
    if retrieve.source == "none":
        return None
    if retrieve.source == "kb":
        return NameTable.of_entities(entities)
    labels = kb / "labels" / retrieve.source
    return NameTable.of_index(Path(retrieve.index) if retrieve.index else labels)


def statistics_of_run(kb: Path, rank: RankParams) -> TextStatistics | None:
    """How rare words are among the candidates' texts, where rank.backend asks for it."""
    if rank.backend != "lexical":
        return None
    mentions = read_records(kb / "mentions.parquet", Mention)
    candidates = read_records(kb / "candidates.parquet", Candidate)
    return TextStatistics.of(candidate_texts(group_candidates(mentions, candidates)))
