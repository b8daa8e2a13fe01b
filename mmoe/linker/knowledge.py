"""A knowledge base, opened: its entities as the matcher and as the reranker see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmoe.baselines.run import FeatureParts
from mmoe.errors import LinkingError
from mmoe.linker.finding import NameFinder
from mmoe.linker.kb_files import KbFiles
from mmoe.linking.index import EntityIndex
from mmoe.records import Entity, read_records
from mmoe.reranking.families import entity_side_vectors
from mmoe.reranking.reranker import Reranker
from mmoe.reranking.space import EntitySide


@dataclass(frozen=True)
class KnowledgeBase:
    """Entities that mentions can be linked to.

    Attributes:
        entities: in the order of all positions.
        index: what the matcher makes of them.
        side: what the reranker reads of them; None without one.
        files: of which it was opened.
        home: keeps those files where they are for as long as it lives.
    """

    entities: Sequence[Entity]
    index: EntityIndex
    side: EntitySide | None
    files: KbFiles
    home: object = None

    @cached_property
    def position(self) -> dict[str, int]:
        """Where an entity stands, by its qid."""
        return {entity.qid: i for i, entity in enumerate(self.entities)}

    @cached_property
    def finder(self) -> NameFinder:
        """Finds the entities' names in texts."""
        return NameFinder(self.entities, self.files.read_aliases())


def read_entities(file: Path) -> list[Entity]:
    """The entities of a knowledge base.

    Raises:
        DataError: if it can't be read.
        LinkingError: if there is none.
    """
    entities = read_records(file, Entity)
    if not entities:
        raise LinkingError(f"{file}: holds no entity, so there is nothing to link to")
    return entities


def entity_side(
    reranker: Reranker | None, entities: Sequence[Entity], features: Path, config: dict[str, Any]
) -> EntitySide | None:
    """What a reranker reads of the entities with stored features.

    Args:
        config: what made the features.
    """
    if reranker is None:
        return None
    stored = FeatureParts(features, config)
    return EntitySide(reranker.space, entities, *entity_side_vectors(stored, entities))
