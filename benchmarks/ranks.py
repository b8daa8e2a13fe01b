"""Exact ranks over a whole knowledge base against scoring every pair as the papers' releases do.

usage  python -m benchmarks.ranks [DATASET] [--entities N …] [--mentions M] [--chart FILE.svg]

With the name of a data set that has been trained in this folder, it measures on that, on the first N
entities for each N; otherwise on random features of RichpediaMEL's size (17,805 entities), where an untrained
matcher leaves the bounds little to do. The index is built before anything is measured. One row a size:
ranks of all mentions with the ten best entities, microseconds a pair, and how long the ten best of one
mention take; from mentions' features, in all of them.

The plain way computes the same scores with the same weights as published evaluation loops do: the entities
are encoded again for every batch of mentions, every expert runs on every token whatever the gates say, and
attention multiplies all queries, keys and values of a pair. It is measured on a few hundred pairs, and its
ranks among those are compared with ours.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import altair as alt
import numpy as np
import pandas as pd
import torch
import vl_convert
from torch import Tensor

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.linking.data import LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.ranked import BestEntities
from mmoe.linking.ranking import best_entities, rank_mentions
from mmoe.linking.sides import MENTION_BATCH
from mmoe.model import units
from mmoe.model.encoded import EncodedUnit, part
from mmoe.model.experts import SparseExperts
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.matcher import OVERALL, Matcher, MatcherSpec
from mmoe.model.matchers.mmoe import MMoE
from mmoe.model.packed import Packed
from mmoe.model.router import Routing
from mmoe.records import Entity, Mention, read_records

from benchmarks.measure import median_seconds, print_result
from pipeline.index import open_index
from pipeline.layout import Layout

ENTITIES, WIDTH = 17_805, 384
TOP_N, SINGLE = 10, 100  # mentions that are linked one by one
PLAIN_MENTIONS, PLAIN_ENTITIES = 16, 64  # pairs of one step of the plain way
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Setting:
    """What is ranked.

    Attributes:
        batches: mentions' features; gold, positions of their entities, in the order of the mentions.
        single: features of mentions, one by one.
        few: those of PLAIN_MENTIONS mentions; entities, those of PLAIN_ENTITIES entities.
    """

    index: EntityIndex
    batches: list[SideFeatures]
    gold: Tensor
    single: list[SideFeatures]
    few: SideFeatures
    entities: SideFeatures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("dataset", nargs="?")
    parser.add_argument("--entities", type=int, nargs="*", default=[])
    parser.add_argument("--mentions", type=int, default=640)
    parser.add_argument("--chart", type=Path, help="draw how it grows")
    chosen = parser.parse_args()
    keep_memory_flat()
    open_setting = trained if chosen.dataset else random
    print("| entities | ranks, s | a pair, µs | pairs scored, % | one mention, ms: p50 | p99 |")
    print("|---|---|---|---|---|---|")
    points = []
    for size in chosen.entities or [sys.maxsize]:
        setting = open_setting(chosen.dataset, size, chosen.mentions)
        num_pairs = len(setting.gold) * len(setting.index)
        start = time.perf_counter()
        ranked = rank_mentions(setting.index, setting.batches, setting.gold, top_n=TOP_N)
        seconds = time.perf_counter() - start
        scored, single = (
            100 * ranked.num_scored / num_pairs,
            one_by_one(setting, partial(best_entities, setting.index)),
        )
        p50, p99 = 1000 * np.percentile(single, [50, 99])
        pair = 1e6 * seconds / num_pairs
        print(
            f"| {len(setting.index):,} | {seconds:.1f} | {pair:.3f} | {scored:.2f} "
            f"| {p50:.1f} | {p99:.1f} |",
            flush=True,
        )
        each = 1000 * seconds / len(setting.gold)
        drawn = {
            "ranks, 64 mentions at a time": each,
            "best ten, alone: median": p50,
            "99th percentile": p99,
        }
        points += [(len(setting.index), name, value) for name, value in drawn.items()]
    if chosen.chart:
        chosen.chart.write_text(growth(points), encoding="utf-8")
    print_result("ranks.pair", pair, "µs", plain_way(setting), higher_is_better=False)


def growth(points: list[tuple[int, str, float]]) -> str:
    """A chart of milliseconds a mention over numbers of entities, as SVG."""
    table = pd.DataFrame(points, columns=["entities", "series", "ms"])
    chart = (
        alt.Chart(table, width=420, height=220, background="white")
        .mark_line(point=True)
        .encode(
            x=alt.X("entities:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s")),
            y=alt.Y("ms:Q", scale=alt.Scale(type="log"), title="ms a mention"),
            color=alt.Color("series:N", title=None, sort=None),
        )
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg


def one_by_one(
    setting: Setting, find: Callable[[list[SideFeatures], int], BestEntities]
) -> list[float]:
    """Seconds in which the best entities of each of some mentions are found, from its features."""
    taken = []
    for mention in setting.single:
        start = time.perf_counter()
        find([mention], TOP_N)
        taken.append(time.perf_counter() - start)
    return taken[1:]


@torch.inference_mode()
def plain_way(setting: Setting) -> float:
    """Microseconds a pair of the plain way; its ranks are ours."""
    matcher, mentions = setting.index.matcher, setting.few
    gold = torch.arange(PLAIN_MENTIONS) % PLAIN_ENTITIES
    small = EntityIndex.build(matcher, [setting.entities])
    ours = rank_mentions(small, [mentions], gold).ranks
    with published_loop():
        scores_BN = matcher(mentions, setting.entities)[OVERALL]
        seconds = median_seconds(lambda: matcher(mentions, setting.entities), 3)
    own_B1 = scores_BN.gather(1, gold[:, None])
    plain = (scores_BN > own_B1).sum(dim=1).numpy() + 1
    if not ((ours.optimistic <= plain) & (plain <= ours.pessimistic)).all():
        raise SystemExit(f"the plain way's ranks differ: {plain} and {ours}")
    pair: float = 1e6 * seconds / scores_BN.numel()
    return pair


@contextmanager
def published_loop() -> Iterator[None]:
    """Computes MMoE's scores without what makes them cheap."""
    with (
        mock.patch.object(SparseExperts, "forward", every_expert),
        mock.patch.object(units, "attention_scores", every_product),
    ):
        yield


def every_expert(self: SparseExperts, tokens_TC: Tensor, routing: Routing) -> Tensor:
    """All experts on all tokens, times gates of which many are zero."""
    gates_TK = tokens_TC.new_zeros(len(tokens_TC), len(self.experts))
    gates_TK.scatter_(1, routing.experts_Tk, routing.gates_Tk)
    outputs_TKD = torch.stack([expert(tokens_TC) for expert in self.experts], dim=1)
    return (gates_TK[..., None] * outputs_TKD).sum(dim=1)


def every_product(mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
    """h_e · mean(A V) with A and A V of every pair."""
    queries_NQD, is_query_NQ = entities.packed("queries").padded()
    keys_BLD, is_key_BL = mentions.packed("keys").padded()
    values_BLD, _ = mentions.packed("values").padded()
    logits_NBQL = queries_NQD[:, None] @ keys_BLD.mT
    weights_NBQL = logits_NBQL.masked_fill(~is_key_BL[None, :, None], -torch.inf).softmax(dim=-1)
    attended_NBQD = (weights_NBQL @ values_BLD) * is_query_NQ[:, None, :, None]
    mean_NBD = attended_NBQD.sum(dim=2) / is_query_NQ.sum(dim=1)[:, None, None]
    return torch.einsum("nd,nbd->bn", entities.tensor("entity_vector"), mean_NBD)


def trained(dataset: str, size: int, num_mentions: int) -> Setting:
    """A data set's own matcher, its first entities, and test mentions of them."""
    at, file = Layout(dataset), ParamsFile()
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    wanted = file.section(EncodeParams).feature_config
    data = LinkingData.open(mentions, entities, at.features, wanted)
    index = open_index(at, data, file.section(RuntimeParams))
    if index.device != CPU:
        raise SystemExit("set runtime.device: cpu")
    size, test = min(size, len(index)), data.linkable("test")
    rows = test[data.gold_of(test) < size][:num_mentions]
    side = data.mention_side
    return Setting(
        EntityIndex(index.matcher, part(index.entities, 0, size)),
        list(side.batches(rows, MENTION_BATCH, CPU)),
        data.gold_of(rows),
        list(side.batches(rows[: SINGLE + 1], 1, CPU)),
        side.gather(rows[:PLAIN_MENTIONS], CPU),
        data.entity_side.gather(torch.arange(PLAIN_ENTITIES), CPU),
    )


def random(_: str | None, size: int, num_mentions: int) -> Setting:
    """Random features of RichpediaMEL's shape under an untrained text unit."""
    torch.manual_seed(0)
    params, size = ParamsFile(), min(size, ENTITIES)
    model = params.section(ModelParams).model_copy(update={"units": ("text",)})
    widths = FeatureWidths(WIDTH, WIDTH, 0, 0, joint=False)
    matcher: Matcher = MMoE(MatcherSpec(widths, model, params.section(MoeParams))).eval()
    index = EntityIndex.build(matcher, _batches(size, 512, tokens=15))
    return Setting(
        index,
        list(_batches(num_mentions, MENTION_BATCH, tokens=35)),
        torch.randint(size, (num_mentions,)),
        list(_batches(SINGLE + 1, 1, tokens=35)),
        next(_batches(PLAIN_MENTIONS, PLAIN_MENTIONS, tokens=35)),
        next(_batches(PLAIN_ENTITIES, PLAIN_ENTITIES, tokens=15)),
    )


def _batches(rows: int, size: int, tokens: int) -> Iterator[SideFeatures]:
    for start in range(0, rows, size):
        count = min(size, rows - start)
        text = Packed(torch.randn(count * tokens, WIDTH), torch.full((count,), tokens))
        yield SideFeatures(text, torch.randn(count, WIDTH), torch.randn(count, WIDTH))


if __name__ == "__main__":
    main()
