"""Stage evaluate: exact ranks of every test mention over the whole knowledge base.

usage  python -m pipeline.evaluate DATASET
in     data/interim/<dataset>, data/features/<dataset>, data/models/<dataset>
out    data/ranks/<dataset>/ranks.parquet
"""

from __future__ import annotations

import shutil

import numpy as np
from numpy.typing import NDArray

from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.evaluation.ranks import Ranks, candidate_lists
from mmoe.linking.data import LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.rank_table import write_rank_table
from mmoe.linking.ranking import MentionRanks
from mmoe.linking.whole_kb import rank_records
from mmoe.model.registry import spec_from_params
from mmoe.records import Candidate, Entity, Mention, read_records

from pipeline.index import open_index
from pipeline.layout import Layout
from pipeline.stage import run_stage


def evaluate(at: Layout, file: ParamsFile) -> None:
    keep_memory_flat()
    encode, params = file.section(EncodeParams), file.section(EvaluateParams)
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    data = LinkingData.open(mentions, entities, at.features, encode.feature_config)
    test = data.linkable("test")
    chosen = [mentions[i] for i in test.tolist()]

    found = read_records(at.candidates, Candidate)
    candidates = candidate_lists(chosen, found, entities) if found else None

    def ranks_by(
        index: EntityIndex, top_n: int, candidates: list[NDArray[np.int64]] | None
    ) -> MentionRanks:
        return rank_records(
            index,
            data.mention_side,
            test,
            data.gold_of(test),
            index.device,
            engine=params.engine,
            top_n=top_n,
            candidates=candidates,
        )

    spec, runtime = spec_from_params(file, data.widths), file.section(RuntimeParams)
    trained = open_index(at, data, runtime, spec)
    ranked = ranks_by(trained, params.top_n, candidates)
    untrained: Ranks | None = None
    if params.untrained:
        untrained = ranks_by(open_index(at, data, runtime, spec, "untrained"), 0, None).ranks
        shutil.rmtree(at.work("index") / "untrained", ignore_errors=True)  # nobody else asks for it
    write_rank_table(at.ranks / "ranks.parquet", chosen, entities, ranked, untrained)
    print(f"{at.dataset}: {len(test)} mentions ranked over {len(entities)} entities")
    pairs = len(test) * len(entities)
    print(
        f"{ranked.num_scored} scores were computed in full; bounds ruled out the others of {pairs} pairs"
    )
    if (size := trained.matcher.encoding_batch) is not None:
        print(f"scores depend on the batch: {size} rows at a time, in the order of ids")


if __name__ == "__main__":
    run_stage(evaluate, __doc__)
