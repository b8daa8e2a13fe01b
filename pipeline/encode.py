"""Stage encode: the parts of a data set through the frozen encoder.

usage  python -m pipeline.encode DATASET [PART …]    (of pipeline.layout.PARTS; all without one)
in     data/interim/<dataset>/inputs/<part>.parquet, images of data/raw/<dataset>
       data/tuned/<dataset>
out    data/features/<dataset>/<part>/shard-*.parquet, and base beside them: the same by the untuned encoder
       (encode.keep_base); reports/<dataset>/images.json: which images are masked

One stage for all parts, as the encoder takes seconds to load: a part whose input has not changed is linked
from the last run, and of the others only new rows are encoded. With `runtime.engine: ray` other processes
encode the shards first; here they are then found done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import pyarrow.parquet as pq

from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.errors import MmoeError
from mmoe.files import read_sealed_json, write_sealed_json

from pipeline.encoding import Encoding
from pipeline.layout import PARTS, Layout
from pipeline.spread import blocks, spread
from pipeline.stage import run_stage

SHOWN_IMAGES = 5


def encode(at: Layout, file: ParamsFile, parts: Sequence[str] = PARTS) -> None:
    for part in parts:
        if part not in PARTS:
            raise MmoeError(f"{part}: no such part; choose one of {', '.join(PARTS)}")
    runtime = file.section(RuntimeParams)
    if runtime.engine == "ray":
        spread(Encoding, "part", at, file, _blocks_of_shards(at, parts, runtime))
    encoding = Encoding(at, file)
    listed = at.report / "images.json"
    of_others = {*parts} != {*PARTS} and listed.is_file()
    masked = read_sealed_json(listed) if of_others else {}
    for part in parts:
        summary = encoding.part(part)
        if part.endswith("image"):
            masked[part] = [asdict(image) for image in summary.masked]
        print(
            f"{part}: {summary.num_rows} rows, {summary.num_kept} of them kept from an earlier run"
        )
        if summary.masked:
            print(f"{part}: {len(summary.masked)} unreadable images are masked, among them")
            for image in summary.masked[:SHOWN_IMAGES]:
                print(f"  {at.raw / image.image}: {image.reason}")
            print(f"all of them: {listed}")
    encoding.base()
    write_sealed_json(listed, masked)


def _blocks_of_shards(
    at: Layout, parts: Sequence[str], runtime: RuntimeParams
) -> list[tuple[str, range]]:
    """All shards of the parts, as arguments of `Encoding.part`."""
    found = []
    for part in parts:
        num_rows = pq.read_metadata(at.inputs(part)).num_rows
        num_shards = math.ceil(num_rows / runtime.shard_rows)
        found += [(part, block) for block in blocks(num_shards, 1, runtime)]
    return found


if __name__ == "__main__":
    run_stage(encode, __doc__, parts=True)
