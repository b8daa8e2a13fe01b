"""Format `mimic`: WikiMEL, RichpediaMEL and WikiDiverse as the MIMIC release unpacks them.

kb_entity.json     list of {qid, entity_name, attr or desc, image_list, id, type}
qid2id.json        qid -> id; optional, only held against kb_entity.json
<name>_train.json, <name>_dev.json (or _valid), <name>_test.json    list of {id, sentence, mentions,
                   entities, answer, imgPath} and, with the descriptions of MMoE's DME, desc; mentions,
                   entities, answer and desc are texts, or lists of equal length
kb_image, mention_image or mention_images    the images; also one folder deeper, mention_image/mention_image

Names and surface forms may be percent-encoded. An answer "nil" is no entity. A mention's image may be listed
as x.png where the file is x.jpg; `NamedImages` says how it is found.
Source: the files' names and keys in the release's configuration and reader (github.com/pengfei-luo/MIMIC).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from mmoe.datasets.images import ImageFolder, NamedImages
from mmoe.datasets.published import (
    distinct_entities,
    entity_qid,
    given_id_of,
    ignored_keys,
    mentions_of,
    percent_decoded,
    row_of_each_mention,
    split_files,
)
from mmoe.datasets.raw import RawDataset, dataset_of, gold_of, require_file
from mmoe.datasets.rows import Row, json_rows, read_json_object
from mmoe.records import Entity, Mention

KB, IDS = "kb_entity.json", "qid2id.json"
ENTITY_FOLDERS = ("kb_image", "kb_image/kb_image")
MENTION_FOLDERS = (
    "mention_image",
    "mention_images",
    "mention_image/mention_image",
    "mention_images/mention_images",
)
ENTITY_KEYS = frozenset({"id", "qid", "entity_name", "attr", "desc", "image_list", "type"})
MENTION_KEYS = frozenset({"id", "sentence", "mentions", "entities", "answer", "imgPath", "desc"})


# What is counted while single rows are read.
NOTICED = (
    "missing_mention_images",
    "missing_entity_images",
    "repeated_entity_images",
    "percent_encoded_names",
    "entities_named_by_qid",
)


def recognises(folder: Path) -> bool:
    """Whether the folder holds the knowledge base or its ids."""
    return (folder / KB).is_file() or (folder / IDS).is_file()


def read_mimic(folder: Path) -> RawDataset:
    """Reads a folder of the MIMIC release.

    Raises:
        DataError: naming file, row, key and remedy of the first thing that is wrong.
    """
    kb_file = require_file(folder / KB, "it holds the knowledge base; unpack the release here")
    ids_file = folder / IDS if (folder / IDS).is_file() else None
    files, noticed = split_files(folder, ".json"), dict.fromkeys(NOTICED, 0)
    entity_rows = json_rows(kb_file)
    mention_rows = {split: json_rows(file) for split, file in files.items()}
    images = ImageFolder(folder)
    kb_images = NamedImages(images, ENTITY_FOLDERS)
    entities, num_repeated = distinct_entities(
        (_entity(row, kb_images, noticed), row.where) for row in entity_rows
    )
    shown = NamedImages(images, MENTION_FOLDERS, cut_at_dot=True)
    mentions, mention_counts = mentions_of(
        [
            found
            for split, rows in mention_rows.items()
            for row in rows
            for found in _mentions(row, split, shown, noticed)
        ]
    )
    return dataset_of(
        "mimic",
        mentions,
        entities,
        noticed
        | {"repeated_entities": num_repeated}
        | mention_counts
        | (_id_counts(ids_file, entity_rows) if ids_file else {})
        | ignored_keys("mentions", chain(*mention_rows.values()), MENTION_KEYS)
        | ignored_keys("entities", entity_rows, ENTITY_KEYS),
        (kb_file, ids_file, *files.values()),
    )


def _entity(row: Row, shown: NamedImages, noticed: dict[str, int]) -> Entity:
    qid = entity_qid(row)
    listed = row.optional("entity_name") or ""
    name = percent_decoded(listed)
    noticed["percent_encoded_names"] += name != listed
    noticed["entities_named_by_qid"] += not name.strip()
    # An empty text stands where the list would be empty.
    names = () if row.values.get("image_list") == "" else row.texts("image_list")
    found = [shown.find(image) for image in names if image]
    distinct = dict.fromkeys(image for image in found if image is not None)
    noticed["missing_entity_images"] += found.count(None)
    noticed["repeated_entity_images"] += len(found) - found.count(None) - len(distinct)
    return Entity(
        qid=qid,
        name=name if name.strip() else qid,
        attributes=row.optional("attr") or row.optional("desc") or "",
        images=tuple(distinct),
    )


def _mentions(
    row: Row, split: str, shown: NamedImages, noticed: dict[str, int]
) -> Iterator[tuple[Mention, str]]:
    given_id, sentence = given_id_of(row, "id"), row.text("sentence")
    listed = row.optional("imgPath")
    image = shown.find(listed) if listed else None
    noticed["missing_mention_images"] += listed is not None and image is None
    row.value("answer")  # must be there; null says nil, as it says nothing under the other keys
    told = [key for key in ("answer", "desc", "entities") if row.values.get(key) is not None]
    for one in row_of_each_mention(row, ("mentions", *told)):
        mention = Mention(
            mention_id=given_id,
            sentence_id=given_id,
            surface_form=one.text("mentions"),
            context=sentence,
            image=image,
            gold_qid=gold_of(one.optional("answer")),
            in_kb=False,
            split=split,
            description=(one.optional("desc") or "").strip() or None,
        )
        yield mention, row.where


def _id_counts(file: Path, rows: list[Row]) -> dict[str, int]:
    """How qid2id.json differs from the knowledge base; what it says of nil is no entity."""
    listed = {qid: number for qid, number in read_json_object(file).items() if gold_of(qid)}
    ids = {row.text("qid").strip(): row.values.get("id") for row in rows}
    return {
        "qid2id_without_entity": len(listed.keys() - ids.keys()),
        "entities_without_qid2id": len(ids.keys() - listed.keys()),
        "ids_unlike_qid2id": sum(
            str(listed[qid]) != str(number) for qid, number in ids.items() if qid in listed
        ),
    }
