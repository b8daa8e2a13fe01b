"""Stage audit: the data set in numbers, and what valid and test share with train.

usage  python -m pipeline.audit DATASET
in     data/interim/<dataset>/{mentions,entities,images}.parquet, ingest.json,
       data/interim/<dataset>/inputs/{mention_text,entity_text}.parquet
out    data/interim/<dataset>/leaks.parquet, left_out/drop.json there, reports/<dataset>/data.json
"""

from __future__ import annotations

from mmoe.audit.data import DataInputs, data_report
from mmoe.audit.leakage import find_leaks
from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.encoders.lengths import TokenCounter
from mmoe.files import read_sealed_json, write_sealed_json
from mmoe.records import (
    Entity,
    ImageFile,
    Leak,
    Mention,
    TextInput,
    read_records,
    write_records,
)

from pipeline.kept import write_left_out
from pipeline.layout import Layout
from pipeline.stage import run_stage


def audit(at: Layout, file: ParamsFile) -> None:
    distance = file.section(DataParams).image_distance
    encode = file.section(EncodeParams)
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    images = read_records(at.images, ImageFile)
    leaks = find_leaks(mentions, entities, images, distance)
    counter = TokenCounter(encode.model)
    mention_texts = read_records(at.inputs("mention_text"), TextInput)
    numbers = data_report(
        DataInputs(
            mentions=mentions,
            entities=entities,
            images=images,
            leaks=leaks,
            mention_tokens=counter.lengths(mention_texts, of_mentions=True),
            entity_tokens=counter.lengths(read_records(at.inputs("entity_text"), TextInput)),
            limit=encode.max_text_length,
            read=read_sealed_json(at.ingest_counts),
        )
    )
    write_records(at.leaks, Leak, leaks, {"image_distance": distance}, at.records)
    overlapping = [k.mention_id for k in leaks if k.split == "train" and k.overlaps_train]
    write_left_out(at, "drop", overlapping)
    write_sealed_json(at.report / "data.json", numbers)
    for split in ("valid", "test"):
        found = numbers["leaks"][split]
        print(
            f"{at.dataset}: of {found['mentions']} {split} mentions {found['same_context']} have a "
            f"context that recurs in train, {found['same_image']} an image, "
            f"{found['similar_image']} one that looks alike, {found['seen_gold']} a gold entity; "
            f"{found['clean']} are clean"
        )


if __name__ == "__main__":
    run_stage(audit, __doc__)
