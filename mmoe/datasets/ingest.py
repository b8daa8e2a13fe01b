"""A raw folder to records and to the inputs of all parts that are encoded, but for the mentions' texts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from mmoe.datasets.fingerprints import fingerprint_images
from mmoe.datasets.raw import RawDataset
from mmoe.datasets.registry import read_dataset
from mmoe.errors import DataError
from mmoe.files import write_sealed_json
from mmoe.longer_names import STAND_IN, hide_name
from mmoe.records import SPLITS, Entity, ImageFile, ImageInput, Mention, TextInput, write_records


@dataclass(frozen=True)
class Selection:
    """What ingest takes of a raw folder: the knobs data.format, data.split, data.nil, data.max_mentions.

    Not the section: a stage counts as reading all of one that it hands on, and dvc.yaml names these four.
    """

    format: str
    split: str
    nil: str
    max_mentions: int | None


@dataclass(frozen=True)
class IngestFiles:
    """Where ingest writes; `journal` is what a killed run goes on from."""

    mentions: Path
    entities: Path
    images: Path
    mention_image: Path
    mention_context: Path
    entity_text: Path
    entity_image: Path
    counts: Path
    journal: Path


def ingest(raw: Path, selection: Selection, max_pixels: int, files: IngestFiles) -> dict[str, int]:
    """Reads a raw folder, applies `data.nil` and `data.max_mentions`, and writes all files.

    Args:
        raw: the data set's raw folder.
        max_pixels: an image of more counts as unreadable; the knob encode.max_pixels.
    Returns:
        The counts that are also written as JSON.
    Raises:
        DataError: if the data are missing or broken, or a split has no mention left.
    """
    dataset = read_dataset(raw, selection.format)
    by_entity = selection.split == "entity"
    assigned = split_by_entity(dataset.mentions) if by_entity else dataset.mentions
    mentions = select_mentions(assigned, selection)
    _check_splits(raw, dataset, mentions)
    counts = _counts(dataset, mentions)
    metadata = {"format": dataset.format, "sources": dataset.sources}
    write_records(files.mentions, Mention, mentions, metadata)
    write_records(files.entities, Entity, dataset.entities, metadata)
    _write_inputs(raw, mentions, dataset.entities, max_pixels, files)
    write_sealed_json(files.counts, {"format": dataset.format} | counts)
    return counts


def select_mentions(mentions: Iterable[Mention], selection: Selection) -> list[Mention]:
    """The mentions that `data.nil` keeps; of them the first `data.max_mentions` of each split."""
    taken = dict.fromkeys(SPLITS, 0)
    selected = []
    for mention in mentions:
        if selection.nil == "drop" and not mention.in_kb:
            continue
        if selection.max_mentions is not None and taken[mention.split] >= selection.max_mentions:
            continue
        taken[mention.split] += 1
        selected.append(mention)
    return selected


def split_by_entity(mentions: Sequence[Mention]) -> list[Mention]:
    """Splits anew, so that no gold entity stands in two splits: valid and test then ask for unseen ones.

    A hash of the gold qid decides; the splits' shares of the entities are those that the data set gives
    them of the mentions. A mention without a gold entity keeps its split.
    """
    counts = Counter(mention.split for mention in mentions)
    ends = list(accumulate(counts[split] / max(1, len(mentions)) for split in SPLITS))

    def split_of(qid: str) -> str:
        lot = int.from_bytes(hashlib.sha256(qid.encode()).digest()[:8]) / 2**64
        return next((s for s, end in zip(SPLITS, ends, strict=True) if lot < end), SPLITS[-1])

    return [m if m.gold_qid is None else replace(m, split=split_of(m.gold_qid)) for m in mentions]


def _check_splits(raw: Path, dataset: RawDataset, selected: list[Mention]) -> None:
    for split in SPLITS:
        if any(mention.in_kb for mention in selected if mention.split == split):
            continue
        read = sum(mention.split == split for mention in dataset.mentions)
        remedy = (
            "check its gold qids against the knowledge base, or raise data.max_mentions"
            if read
            else "assign mentions to it"
        )
        raise DataError(
            f"{raw}: split {split} is empty: of the {read} mentions read for it none that is left "
            f"has its gold entity in the knowledge base; {remedy}"
        )


def _counts(dataset: RawDataset, selected: list[Mention]) -> dict[str, int]:
    """Numbers of records; nil and gold outside the KB are counted before the policy applies."""
    read = dataset.mentions
    return {
        "mentions_read": len(read),
        "nil": sum(mention.gold_qid is None for mention in read),
        "gold_outside_kb": sum(m.gold_qid is not None and not m.in_kb for m in read),
        "mentions": len(selected),
        **{
            f"mentions_{split}": sum(mention.split == split for mention in selected)
            for split in SPLITS
        },
        "mentions_in_kb": sum(mention.in_kb for mention in selected),
        "mentions_with_image": sum(mention.image is not None for mention in selected),
        "entities": len(dataset.entities),
        "entities_with_image": sum(bool(entity.images) for entity in dataset.entities),
        **dataset.counts,
    }


def _write_inputs(
    raw: Path,
    mentions: list[Mention],
    entities: list[Entity],
    max_pixels: int,
    files: IngestFiles,
) -> None:
    texts = [TextInput(e.qid, name=e.name, body=e.attributes, description=None) for e in entities]
    write_records(files.entity_text, TextInput, texts)
    hidden = [
        TextInput(m.mention_id, STAND_IN, hide_name(m.context, m.surface_form), None)
        for m in mentions
    ]
    write_records(files.mention_context, TextInput, hidden)
    of_mention = {mention.mention_id: mention.image for mention in mentions}
    of_entity = {e.qid: e.images[0] if e.images else None for e in entities}
    listed = {name for name in of_mention.values() if name is not None}
    listed |= {name for entity in entities for name in entity.images}
    images = fingerprint_images(raw, listed, max_pixels, files.journal)
    write_records(files.images, ImageFile, images)
    digests = {image.image: image.sha256 for image in images}
    for file, shown in ((files.mention_image, of_mention), (files.entity_image, of_entity)):
        rows = [
            ImageInput(id=key, image=name, sha256=None if name is None else digests[name])
            for key, name in shown.items()
        ]
        write_records(file, ImageInput, rows)
