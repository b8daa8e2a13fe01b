"""Exact ranks of a data set's test mentions, of all or of some."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.evaluation.ranks import candidate_lists
from mmoe.linking.data import LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.ranked import MentionRanks
from mmoe.linking.sides import MENTION_BATCH
from mmoe.linking.whole_kb import rank_records
from mmoe.model.registry import spec_from_params
from mmoe.records import Candidate, Entity, Mention, read_records

from pipeline.current import check_features
from pipeline.index import open_index
from pipeline.layout import Layout
from pipeline.spread import blocks, spread


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
        check_features(at)
        self._data = LinkingData.open(mentions, self.entities, at.features, wanted)
        self._test = self._data.linkable("test")
        self.mentions = [mentions[i] for i in self._test.tolist()]
        self._indexes: dict[str, EntityIndex] = {}

    def index(self, name: str) -> EntityIndex:
        """The knowledge base as a checkpoint sees it; opened, or built, once."""
        if name not in self._indexes:
            spec = spec_from_params(self._file, self._data.widths)
            self._indexes[name] = open_index(self.at, self._data, self._runtime, spec, name)
        return self._indexes[name]

    def of(self, name: str) -> MentionRanks:
        """All mentions, by a checkpoint: `matcher` or `untrained`."""
        index = self.index(name)
        parts = [(name, each) for each in blocks(len(self._test), MENTION_BATCH, self._runtime)]
        depends_on_batch = index.matcher.encoding_batch is not None
        if self._runtime.engine == "local" or depends_on_batch or not parts:
            return self.part(name, range(len(self._test)))
        return MentionRanks.joined(spread(Ranking, "part", self.at, self._file, parts))

    def part(self, name: str, block: range) -> MentionRanks:
        """Some mentions; with best entities and candidates by the trained matcher."""
        index, is_trained = self.index(name), name == "matcher"
        some = slice(block.start, block.stop)
        rows, candidates = self._test[some], self._candidates if is_trained else None
        return rank_records(
            index,
            self._data.mention_side,
            rows,
            self._data.gold_of(rows),
            index.device,
            engine=self._params.engine,
            top_n=self._params.top_n if is_trained else 0,
            candidates=None if candidates is None else candidates[some],
        )

    @cached_property
    def _candidates(self) -> list[NDArray[np.int64]] | None:
        found = read_records(self.at.candidates, Candidate, self.at.records)
        position = {entity.qid: i for i, entity in enumerate(self.entities)}
        return candidate_lists(self.mentions, found, position) if found else None
