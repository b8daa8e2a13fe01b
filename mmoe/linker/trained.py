"""What was learned of a data set: all of a Linker that stays when its knowledge base changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from mmoe.linker.describing import Describing
from mmoe.linker.engine import Engine
from mmoe.linker.knowledge import KnowledgeBase
from mmoe.linker.queries import QueryEncoder
from mmoe.linking.approximate import ApproximateSearch
from mmoe.linking.checkpoint import Checkpoint
from mmoe.reranking.reranker import Reranker


@dataclass(frozen=True)
class Trained:
    """Matcher, reranker, encoder, and how descriptions are chosen.

    Attributes:
        name: of the data set.
        checkpoint: its matcher on `device`; read from `weights`.
        learned: folder of the reranker's files.
        encoder_folder: where the encoder lies; None for one that everybody can get by its name.
        reranker: None where the matcher alone puts entities in order, and none is described then.
    """

    name: str
    checkpoint: Checkpoint
    weights: Path
    learned: Path
    encoder: QueryEncoder
    encoder_folder: Path | None
    device: torch.device
    reranker: Reranker | None
    describing: Describing

    @property
    def is_trained(self) -> bool:
        """Whether anything was learned from mentions."""
        return bool(self.checkpoint.params)

    def over(self, kb: KnowledgeBase, search: ApproximateSearch | None = None) -> Engine:
        """What links to a knowledge base."""
        describer = None
        if self.reranker is not None:
            describer = self.describing.over(kb.entities, self.encoder)
        return Engine(self.encoder, kb, self.reranker, describer, search)
