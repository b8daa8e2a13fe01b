"""Stage evaluate: exact ranks of every test mention over the whole knowledge base.

usage  python -m pipeline.evaluate DATASET
in     data/interim/<dataset>, data/features/<dataset>, data/models/<dataset>
out    data/ranks/<dataset>/ranks.parquet
"""

from __future__ import annotations

import shutil

from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.evaluation.ranks import Ranks
from mmoe.linking.rank_table import rank_table
from mmoe.sealed_parquet import write_sealed

from pipeline.layout import Layout
from pipeline.ranking import Ranking
from pipeline.stage import run_stage


def evaluate(at: Layout, file: ParamsFile) -> None:
    ranking = Ranking(at, file)
    ranked = ranking.of("matcher")
    untrained: Ranks | None = None
    if file.section(EvaluateParams).untrained:
        untrained = ranking.of("untrained").ranks
        shutil.rmtree(at.work("index") / "untrained", ignore_errors=True)  # nobody else asks for it
    mentions, entities = ranking.mentions, ranking.entities
    table = rank_table(mentions, entities, ranked, untrained)
    write_sealed(at.ranks / "ranks.parquet", table, at.records)
    print(f"{at.dataset}: {len(mentions)} mentions ranked over {len(entities)} entities")
    pairs = len(mentions) * len(entities)
    print(
        f"{ranked.num_scored} scores were computed in full; bounds ruled out the others of {pairs} pairs"
    )
    if (size := ranking.index("matcher").matcher.encoding_batch) is not None:
        print(f"scores depend on the batch: {size} rows at a time, in the order of ids")


if __name__ == "__main__":
    run_stage(evaluate, __doc__)
