"""Exact ranks of a data set's test mentions, of all or of some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.evaluation.ranks import candidate_lists
from mmoe.linking.data import MENTION_BATCH, LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.ranked import MentionRanks
from mmoe.linking.whole_kb import rank_records
from mmoe.model.registry import spec_from_params
from mmoe.records import Candidate, Entity, Mention, read_records

from pipeline.index import open_index
from pipeline.layout import Layout
from pipeline.spread import spread

PARTS_EACH = 4  # parts of the mentions that a process ranks, so that all end at about the same time


class Ranking:
    """The test mentions of a data set, and its matchers' indexes.

    Attributes:
        at: the data set's places.
        mentions: those whose gold entity is in the knowledge base; entities, the whole of it.
    """

    def __init__(self, at: Layout, file: ParamsFile) -> None:
        keep_memory_flat()
        self.at, self._file = at, file
        self._params, self._runtime = file.section(EvaluateParams), file.section(RuntimeParams)
        mentions, self.entities = (
            read_records(at.mentions, Mention),
            read_records(at.entities, Entity),
        )
        wanted = file.section(EncodeParams).feature_config
        self._data = LinkingData.open(mentions, self.entities, at.features, wanted)
        self._test = self._data.linkable("test")
        self.mentions = [mentions[i] for i in self._test.tolist()]

    def index(self, name: str) -> EntityIndex:
        """The knowledge base as a checkpoint sees it."""
        spec = spec_from_params(self._file, self._data.widths)
        return open_index(self.at, self._data, self._runtime, spec, name)

    def of(self, name: str) -> MentionRanks:
        """All mentions, by a checkpoint: `matcher` or `untrained`."""
        index = self.index(name)
        if self._runtime.engine == "local" or index.matcher.encoding_batch is not None:
            return self.part(name, 0, len(self._test))
        size = -(-len(self._test) // (PARTS_EACH * self._runtime.workers))
        size = max(1, -(-size // MENTION_BATCH)) * MENTION_BATCH
        parts = [(name, start, start + size) for start in range(0, len(self._test), size)]
        return MentionRanks.joined(spread(Ranking, "part", self.at, self._file, parts))

    def part(self, name: str, start: int, stop: int) -> MentionRanks:
        """The mentions from `start` to `stop`; with best entities and candidates by the trained matcher."""
        index, rows, is_trained = self.index(name), self._test[start:stop], name == "matcher"
        return rank_records(
            index,
            self._data.mention_side,
            rows,
            self._data.gold_of(rows),
            index.device,
            engine=self._params.engine,
            top_n=self._params.top_n if is_trained else 0,
            candidates=self._candidates(start, stop) if is_trained else None,
        )

    def _candidates(self, start: int, stop: int) -> list[NDArray[np.int64]] | None:
        found = read_records(self.at.candidates, Candidate)
        return candidate_lists(self.mentions[start:stop], found, self.entities) if found else None
