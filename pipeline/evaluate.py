"""Stage evaluate: exact ranks of every test mention over the whole knowledge base.

usage  python -m pipeline.evaluate DATASET
in     data/interim/<dataset>, data/features/<dataset>, data/models/<dataset>
out    data/ranks/<dataset>/ranks.parquet
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.evaluation.ranks import Ranks, candidate_lists
from mmoe.linking.checkpoint import load_checkpoint
from mmoe.linking.data import LinkingData
from mmoe.linking.device import resolve_device
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.rank_table import write_rank_table
from mmoe.linking.ranking import MentionRanks
from mmoe.linking.whole_kb import build_index, rank_records
from mmoe.model.matcher import Matcher
from mmoe.model.registry import spec_from_params
from mmoe.records import Candidate, Entity, Mention, read_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def evaluate(at: Layout, file: ParamsFile) -> None:
    keep_memory_flat()
    encode, params = file.section(EncodeParams), file.section(EvaluateParams)
    device = resolve_device(file.section(RuntimeParams).device)
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    data = LinkingData.open(mentions, entities, at.features, encode.feature_config)
    spec = spec_from_params(file, data.widths)
    test = data.linkable("test")
    chosen = [mentions[i] for i in test.tolist()]

    def matcher_of(name: str) -> Matcher:
        return load_checkpoint(at.model / f"{name}.safetensors", spec).matcher.to(device)

    found = read_records(at.candidates, Candidate)
    candidates = candidate_lists(chosen, found, entities) if found else None

    def ranks_by(
        matcher: Matcher, top_n: int, candidates: list[NDArray[np.int64]] | None
    ) -> MentionRanks:
        return rank_records(
            build_index(matcher, data.entity_side, device),
            data.mention_side,
            test,
            data.gold_of(test),
            device,
            engine=params.engine,
            top_n=top_n,
            candidates=candidates,
        )

    trained = matcher_of("matcher")
    ranked = ranks_by(trained, params.top_n, candidates)
    untrained: Ranks | None = None
    if params.untrained:
        untrained = ranks_by(matcher_of("untrained"), 0, None).ranks
    write_rank_table(at.ranks / "ranks.parquet", chosen, entities, ranked, untrained)
    print(f"{at.dataset}: {len(test)} mentions ranked over {len(entities)} entities")
    pairs = len(test) * len(entities)
    print(
        f"{ranked.num_scored} scores were computed in full; bounds ruled out the others of {pairs} pairs"
    )
    if trained.encoding_batch is not None:
        print(
            f"scores depend on the batch: {trained.encoding_batch} rows at a time, in the order of ids"
        )


if __name__ == "__main__":
    run_stage(evaluate, __doc__)
