"""Runs an encoding shard by shard and goes on after the last whole shard when started again.

Finished shards lie in a work folder that is keyed by everything that decides their contents; at the end
they are moved into the stage's output, so a killed run repeats at most one shard.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from mmoe.errors import FeatureStoreError
from mmoe.features.shards import FeatureRow, open_shard, shard_name, write_shard
from mmoe.files import content_key, sources_key

Row = TypeVar("Row")
SOURCES = sources_key(Path(__file__).parent)


@dataclass(frozen=True)
class ShardPlan:
    """What a part's shards hold and where they lie.

    Attributes:
        out: the stage's output folder.
        work: folder for unfinished work; the key of the contents is appended.
        widths: of the feature columns.
        metadata: all that decides the features' values, input included.
    """

    out: Path
    work: Path
    shard_rows: int
    widths: Mapping[str, int]
    metadata: Mapping[str, Any]


def run_shards(
    rows: Sequence[Row], plan: ShardPlan, encode: Callable[[Sequence[Row]], list[FeatureRow]]
) -> int:
    """Writes all shards of `rows` to `plan.out`; an empty table is one shard without rows.

    Returns:
        How many rows were kept from an interrupted run.
    """
    work = plan.work.with_name(f"{plan.work.name}-{content_key(dict(plan.metadata), SOURCES)}")
    resumed, names = 0, []
    with tqdm(total=len(rows), unit="row", desc=plan.out.name) as progress:
        for number, start in enumerate(range(0, max(1, len(rows)), plan.shard_rows)):
            chunk, shard = rows[start : start + plan.shard_rows], work / shard_name(number)
            names.append(shard.name)
            if _whole(shard, len(chunk)):
                resumed += len(chunk)
            else:
                write_shard(shard, encode(chunk) if chunk else [], plan.widths, plan.metadata)
            progress.update(len(chunk))
    _move(work, plan.out, names)
    return resumed


def _whole(shard: Path, num_rows: int) -> bool:
    if not shard.exists():
        return False
    try:
        return bool(open_shard(shard).metadata.num_rows == num_rows)
    except FeatureStoreError:
        return False


def _move(work: Path, out: Path, names: Sequence[str]) -> None:
    """Moves whole shards to the output, which then holds nothing else."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for name in names:
        shutil.move(work / name, out / name)
    shutil.rmtree(work)
