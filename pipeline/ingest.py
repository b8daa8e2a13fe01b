"""Stage ingest: a raw data set to records.

usage  python -m pipeline.ingest DATASET
in     data/raw/<dataset>
out    data/interim/<dataset>/{mentions,entities,images}.parquet, ingest.json,
       data/interim/<dataset>/inputs/{mention_image,mention_context,entity_text,entity_image}.parquet,
       left_out/keep.json there

A run that was killed while it hashed images goes on from .mmoe/ingest/<dataset>.
"""

from __future__ import annotations

import shutil

from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.datasets.ingest import IngestFiles, Selection, ingest
from mmoe.records import ImageFile, read_records

from pipeline.kept import write_left_out
from pipeline.layout import Layout
from pipeline.stage import run_stage

SHOWN = 5


def ingest_stage(at: Layout, file: ParamsFile) -> None:
    params = file.section(DataParams)
    selection = Selection(params.format, params.split, params.nil, params.max_mentions)
    work = at.work("ingest")
    files = IngestFiles(
        mentions=at.mentions,
        entities=at.entities,
        images=at.images,
        mention_image=at.inputs("mention_image"),
        mention_context=at.inputs("mention_context"),
        entity_text=at.inputs("entity_text"),
        entity_image=at.inputs("entity_image"),
        counts=at.ingest_counts,
        journal=work / "images.jsonl",
    )
    counts = ingest(at.raw, selection, file.section(EncodeParams).max_pixels, files)
    write_left_out(at, "keep", [])  # train leaves nobody out
    shutil.rmtree(work)
    splits = ", ".join(
        f"{counts[f'mentions_{name}']} {name}" for name in ("train", "valid", "test")
    )
    print(f"{at.dataset}: {counts['mentions']} mentions ({splits}), {counts['entities']} entities")
    print(
        f"images: {counts['mentions_with_image']} mentions, "
        f"{counts['entities_with_image']} entities"
    )
    print(f"of {counts['mentions_read']} mentions read: {counts['nil']} nil,", end=" ")
    print(f"{counts['gold_outside_kb']} with a gold entity that the knowledge base lacks")
    print(f"all counts: {at.ingest_counts}")
    _say_broken(at)


def _say_broken(at: Layout) -> None:
    """Names the images that can't be opened, here alone; later stages count them."""
    broken = [image for image in read_records(at.images, ImageFile) if image.problem is not None]
    if broken:
        print(f"images that can't be opened and count as missing: {len(broken)}, among them")
        print("\n".join(f"  {at.raw / image.image}: {image.problem}" for image in broken[:SHOWN]))
        print(f"`mmoe check {at.raw}` lists all")


if __name__ == "__main__":
    run_stage(ingest_stage, __doc__)
