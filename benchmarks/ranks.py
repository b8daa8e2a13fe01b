"""Exact ranks and top 10 over a whole knowledge base: bounds against scoring every pair.

usage  python -m benchmarks.ranks [DATASET]

With the name of a data set that has been trained here, it measures on that; otherwise on random features
of RichpediaMEL's size (17,805 entities), where an untrained matcher leaves the bounds little to do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import torch

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.linking.checkpoint import load_matcher
from mmoe.linking.data import MENTION_BATCH, LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranking import rank_mentions
from mmoe.linking.whole_kb import build_index
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.matcher import MatcherSpec
from mmoe.model.matchers.mmoe import MMoE
from mmoe.model.packed import Packed
from mmoe.records import Entity, Mention, read_records

from benchmarks.measure import median_seconds, print_result
from pipeline.layout import Layout

MENTIONS, ENTITIES, WIDTH = 64, 17_805, 384
TOP_N = 10
CPU = torch.device("cpu")


def main() -> None:
    index, batches, gold = trained(sys.argv[1]) if len(sys.argv) > 1 else random()

    def seconds(engine: str, runs: int) -> float:
        def rank() -> None:
            rank_mentions(index, batches, gold, engine=engine, top_n=TOP_N)

        return median_seconds(rank, runs) / len(gold)

    ours, plain = seconds("bounds", 3), seconds("brute", 1)
    print_result("ranks.mention", 1000 * ours, "ms", 1000 * plain, higher_is_better=False)


Setting = tuple[EntityIndex, list[SideFeatures], torch.Tensor]


def trained(dataset: str) -> Setting:
    """A data set's own matcher and its first test mentions."""
    at = Layout(dataset)
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    wanted = ParamsFile().section(EncodeParams).feature_config
    data = LinkingData.open(mentions, entities, at.features, wanted)
    matcher = load_matcher(at.model / "matcher.safetensors")
    chosen = data.linkable("test")[:MENTIONS]
    index = build_index(matcher, data.entity_side, CPU)
    batches = data.mention_side.batches(chosen, MENTION_BATCH, CPU)
    return index, list(batches), data.gold_of(chosen)


def random() -> Setting:
    """Random features of RichpediaMEL's shape under an untrained text unit."""
    torch.manual_seed(0)
    params = ParamsFile()
    model = params.section(ModelParams).model_copy(update={"units": ("text",)})
    widths = FeatureWidths(WIDTH, WIDTH, 0, 0, joint=False)
    matcher = MMoE(MatcherSpec(widths, model, params.section(MoeParams))).eval()
    index = EntityIndex.build(matcher, _batches(ENTITIES, 512, tokens=15))
    batches = list(_batches(MENTIONS, MENTION_BATCH, tokens=35))
    return index, batches, torch.randint(ENTITIES, (MENTIONS,))


def _batches(rows: int, size: int, tokens: int) -> Iterator[SideFeatures]:
    for start in range(0, rows, size):
        count = min(size, rows - start)
        text = Packed(torch.randn(count * tokens, WIDTH), torch.full((count,), tokens))
        yield SideFeatures(text, torch.randn(count, WIDTH), torch.randn(count, WIDTH))


if __name__ == "__main__":
    main()
