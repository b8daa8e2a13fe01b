"""Stage encode: the parts of a data set through the frozen encoder.

usage  python -m pipeline.encode DATASET [PART …]    (of pipeline.layout.PARTS; all without one)
in     data/interim/<dataset>/inputs/<part>.parquet, images of data/raw/<dataset>
out    data/features/<dataset>/<part>/shard-*.parquet, reports/<dataset>/images.json: which images are masked

One stage for all parts, as the encoder takes seconds to load: a part whose input has not changed is linked
from the last run, and of the others only new rows are encoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.encode import encode_images, encode_texts
from mmoe.encoders.registry import load_encoder
from mmoe.errors import MmoeError
from mmoe.files import read_json, write_json

from pipeline.layout import PARTS, Layout
from pipeline.stage import run_stage

SHOWN_IMAGES = 5


def encode(at: Layout, file: ParamsFile, parts: Sequence[str] = PARTS) -> None:
    for part in parts:
        if part not in PARTS:
            raise MmoeError(f"{part}: no such part; choose one of {', '.join(PARTS)}")
    params, runtime = file.section(EncodeParams), file.section(RuntimeParams)
    encoder = load_encoder(params.model, runtime.device, params.precision)
    listed = at.report / "images.json"
    masked = read_json(listed) if listed.is_file() else {}
    for part in parts:
        table, out, work = at.inputs(part), at.features / part, at.work("encode") / part
        if part.endswith("image"):
            summary = encode_images(table, out, work, params, runtime, encoder, at.raw)
            masked[part] = [asdict(image) for image in summary.masked]
        else:
            summary = encode_texts(
                *(table, out, work, params, runtime, encoder),
                around_name=part != "entity_text",
                keep_tokens=part != "mention_context",
            )
        print(
            f"{part}: {summary.num_rows} rows, {summary.num_kept} of them kept from an earlier run"
        )
        if summary.masked:
            print(f"{part}: {len(summary.masked)} unreadable images are masked, among them")
            for image in summary.masked[:SHOWN_IMAGES]:
                print(f"  {at.raw / image.image}: {image.reason}")
            print(f"all of them: {listed}")
    write_json(listed, masked)


if __name__ == "__main__":
    run_stage(encode, __doc__, parts=True)
