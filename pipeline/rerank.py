"""Stage rerank: shortlists by frozen similarities, reranked by all features of their pairs.

usage  python -m pipeline.rerank DATASET
in     data/interim/<dataset>, data/features/<dataset>, data/models/<dataset>/matcher.safetensors
out    data/ranks/<dataset>/reranked.parquet, of the same form as baselines.parquet;
       data/models/<dataset>/reranker.json: weights of the features; beside it what else it takes to
       rerank other mentions, reranker.safetensors and reranker_terms.parquet
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import torch

from mmoe.baselines.run import BaselineRanks, FeatureParts, Records
from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.rerank import RerankParams
from mmoe.config.runtime import RuntimeParams
from mmoe.linking.data import LinkingData
from mmoe.linking.memory import keep_memory_flat
from mmoe.model.registry import spec_from_params
from mmoe.records import Mention
from mmoe.reranking.families import Family
from mmoe.reranking.files import save_reranker
from mmoe.reranking.matcher import MatcherFeatures
from mmoe.reranking.run import Reranked, run_reranking
from mmoe.sealed_parquet import write_sealed

from pipeline.baselines import rank_rows, read_known
from pipeline.current import check_features
from pipeline.index import open_index
from pipeline.layout import Layout
from pipeline.stage import run_stage


def rerank(at: Layout, file: ParamsFile) -> None:
    keep_memory_flat()
    encode, params = file.section(EncodeParams), file.section(RerankParams)
    records = read_known(at, file.section(DataParams).leak_policy)
    if not params.use_candidates:
        records = replace(records, candidates=[])
    ids = [mention.mention_id for mention in records.linkable("test")]
    found = None
    if params.depth:
        check_features(at)
        parts = FeatureParts(at.features, encode.feature_config)
        matcher = matcher_families(at, file, records) if params.use_matcher else None
        found = run_reranking(records, parts, params.depth, matcher, use_context=params.use_context)
    ranks = {} if found is None else found.ranks
    rows = [rank_rows(ids, name, BaselineRanks(own, None)) for name, own in ranks.items()]
    table = pa.concat_tables([rank_rows([], "", BaselineRanks(None, None)), *rows])
    write_sealed(at.ranks / "reranked.parquet", table, at.records)
    save_reranker(at.model, None if found is None else found.reranker, _about(found))
    if found is None:
        print(f"{at.dataset}: nothing is reranked (rerank.depth is 0)")
    else:
        print(
            f"{at.dataset}: {len(ids)} shortlists of {params.depth} reranked; "
            f"{found.recall} % of them hold the gold entity"
        )


def _about(found: Reranked | None) -> dict[str, Any]:
    """What the report says of the fit."""
    if found is None:
        return {"recall": 0.0, "valid_mrr": {}, "weights": {}, "calibrated": None}
    weights = {name: combiner.to_json() for name, combiner in found.combiners.items()}
    return {
        "recall": found.recall,
        "valid_mrr": found.valid_mrr,
        "weights": weights,
        "calibrated": found.calibrated,
    }


def matcher_families(
    at: Layout, file: ParamsFile, records: Records
) -> Callable[[Sequence[Mention]], Family]:
    """What gives the trained matcher's features of any mentions; the entity side is computed once."""
    config = file.section(EncodeParams).feature_config
    check_features(at)
    data = LinkingData.open(records.mentions, records.entities, at.features, config)
    spec = spec_from_params(file, data.widths)
    index = open_index(at, data, file.section(RuntimeParams), spec)
    row_of = {mention.mention_id: i for i, mention in enumerate(records.mentions)}

    def of(mentions: Sequence[Mention]) -> Family:
        rows = torch.tensor([row_of[mention.mention_id] for mention in mentions])
        return MatcherFeatures.stored(index, data.mention_side, rows)

    return of


if __name__ == "__main__":
    run_stage(rerank, __doc__)
