"""The entity side of a knowledge base, computed once for all mentions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor

from mmoe.files import atomic_folder
from mmoe.linking.device import computing_in
from mmoe.linking.index_files import read_index, write_index
from mmoe.linking.memory import return_freed_memory
from mmoe.model.encoded import EncodedEntities, EncodedMentions, concatenate, num_rows, part, select
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import Matcher

BOUND_PAIRS = {"cpu": 1 << 18, "cuda": 1 << 22}  # whose bounds are computed at a time
TRIM_EVERY = 8  # batches
ROWS = 2048  # entities that are put into another order at a time


@dataclass(frozen=True)
class EntityIndex:
    """Every entity of a knowledge base as one matcher sees it.

    Attributes:
        entities: of the whole knowledge base, in its order; in memory, or mapped from files.
    """

    matcher: Matcher
    entities: EncodedEntities

    def __len__(self) -> int:
        return num_rows(self.entities)

    @classmethod
    def build(
        cls, matcher: Matcher, batches: Iterable[SideFeatures], precision: str = "float32"
    ) -> EntityIndex:
        """Encodes all entities, a batch at a time, and holds them in memory.

        Args:
            precision: float32 or bfloat16, of the products; what they give is float32 in any case.
        """
        return cls(matcher, concatenate(list(_encoded(matcher, batches, precision))))

    @classmethod
    def build_in(
        cls,
        folder: Path,
        made_of: str,
        matcher: Matcher,
        batches: Iterable[SideFeatures],
        precision: str = "float32",
    ) -> EntityIndex:
        """As `build`, but in files: memory for a batch at a time.

        Args:
            folder: takes the place of one that is there.
            made_of: names matcher and knowledge base; `open` asks for it.
        """
        with atomic_folder(folder) as new:
            write_index(new, _encoded(matcher, batches, precision), made_of)
        return cls.open(folder, made_of, matcher)

    @classmethod
    def open(cls, folder: Path, made_of: str, matcher: Matcher) -> EntityIndex:
        """What `build_in` left in a folder.

        Raises:
            LinkingError: if it is of another matcher or another knowledge base.
        """
        return cls(matcher, read_index(folder, made_of))

    def rearranged(
        self, order: Tensor, folder: Path | None = None, made_of: str = ""
    ) -> EntityIndex:
        """The entities in another order, int64 [N]; written into a folder, if one is given."""
        if folder is None:
            return EntityIndex(self.matcher, select(self.entities, order.to(self.device)))
        with atomic_folder(folder) as new:
            parts = (select(self.entities, rows) for rows in torch.split(order, ROWS))
            write_index(new, parts, made_of)
        return EntityIndex.open(folder, made_of, self.matcher)

    def revised(
        self, kept: Tensor, new: Iterable[SideFeatures], folder: Path, made_of: str
    ) -> EntityIndex:
        """The entities at `kept`, int64 and in order, and new ones behind them; written into a folder.

        Nothing of those that stay is computed anew, so the matcher may not look at batches as a whole.
        """
        assert self.matcher.encoding_batch is None
        with atomic_folder(folder) as made:
            pieces = torch.split(kept, ROWS) if len(kept) else ()
            old = (select(self.entities, rows) for rows in pieces)
            write_index(made, chain(old, _encoded(self.matcher, new, "float32")), made_of)
        return EntityIndex.open(folder, made_of, self.matcher)

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return next(iter(self.entities.values())).inner_BI.device

    def bounds(self, mentions: EncodedMentions) -> tuple[Tensor, Tensor]:
        """Lower and upper bounds [B, N] of the overall score, the matcher's quick ones."""
        pairs = BOUND_PAIRS.get(self.device.type, BOUND_PAIRS["cpu"])
        size = max(1, pairs // max(1, num_rows(mentions)))
        entities = self._without_tokens
        parts = [
            self.matcher.quick_bounds(mentions, part(entities, start, start + size))
            for start in range(0, len(self), size)
        ]
        low, high = (torch.cat(each, dim=1) for each in zip(*parts, strict=True))
        return low, high

    def tight_bounds(self, mentions: EncodedMentions, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Lower and upper bounds [B, n] of the overall score against the entities at `rows`."""
        return self.matcher.bounds(mentions, select(self._without_tokens, rows))

    def scores(self, mentions: EncodedMentions, rows: Tensor) -> dict[str, Tensor]:
        """Each unit's exact scores and `overall`, [B, n], against the entities at `rows`."""
        return self.matcher.scores(mentions, select(self.entities, rows))

    @property
    def _without_tokens(self) -> EncodedEntities:
        return {name: unit.without_tokens() for name, unit in self.entities.items()}


@torch.inference_mode()
def _encoded(
    matcher: Matcher, batches: Iterable[SideFeatures], precision: str
) -> Iterator[EncodedEntities]:
    for number, batch in enumerate(batches, 1):
        if number % TRIM_EVERY == 0:
            return_freed_memory()
        with computing_in(precision, batch.text_pooled_BP.device):
            encoded = matcher.encode_entities(batch)
        yield {name: unit.in_full_precision() for name, unit in encoded.items()}
