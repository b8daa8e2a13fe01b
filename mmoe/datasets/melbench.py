"""Format `melbench`, as MELBench and its successors publish WikiMEL and RichpediaMEL.

<any>.json       id -> {id, sentence, mentions, entities, answer}; the last three are texts or,
                 where a sentence holds several mentions, lists of equal length
qid2abs.json     qid -> attributes; with the answers these qids are the knowledge base
qid2ne.json      optional: qid -> name
splits.json      train, valid (or dev), test -> ids
mention_image(s)/<id>.<ending>, kb_image/<qid>.<ending>    optional images
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mmoe.datasets.images import ImageFolder
from mmoe.datasets.published import given_id_of, row_of_each_mention
from mmoe.datasets.raw import RawDataset, check_unique, dataset_of, gold_of, require_file
from mmoe.datasets.rows import Row, json_records, plain_text, read_json_object
from mmoe.errors import DataError
from mmoe.records import SPLITS, Entity, Mention

ATTRIBUTES, NAMES, SPLIT_IDS = "qid2abs.json", "qid2ne.json", "splits.json"
MENTION_FOLDERS, ENTITY_FOLDER = ("mention_image", "mention_images"), "kb_image"
SPLIT_ALIASES = {"dev": "valid"}


# A mention without its split and image, where it stands, and the title of the entity that it means.
Linked = tuple[Mention, str, str]


def recognises(folder: Path) -> bool:
    """Whether the folder holds the attributes or the splits."""
    return (folder / ATTRIBUTES).is_file() or (folder / SPLIT_IDS).is_file()


def read_melbench(folder: Path) -> RawDataset:
    """Reads a folder in MELBench's format.

    Raises:
        DataError: naming file, record, key and remedy of the first thing that is wrong.
    """
    data = _data_file(folder)
    attributes_file = require_file(folder / ATTRIBUTES, "it holds the entities' attributes")
    splits_file = require_file(folder / SPLIT_IDS, "it says which records train, validate and test")
    names_file = folder / NAMES if (folder / NAMES).is_file() else None
    records = [
        # Its key in the file is its id unless the record itself says otherwise.
        replace(record, values={"id": record.name} | record.values)
        for record in json_records(data)
    ]
    links = [link for record in records for link in _links(record)]
    check_unique("mention id", ((mention.mention_id, where) for mention, where, _ in links))
    split_of, split_counts = _splits(splits_file, {given_id_of(row, "id") for row in records})
    attributes, names = _texts(attributes_file), _texts(names_file) if names_file else {}
    images = ImageFolder(folder)
    entities, name_counts = _knowledge_base(links, attributes, names, images)
    mentions = _mentions(links, split_of, images)
    return dataset_of(
        "melbench",
        mentions,
        entities,
        # RichpediaMEL has a few; a score is comparable only if they stay in.
        split_counts
        | name_counts
        | {"empty_surface_forms": sum(not m.surface_form.strip() for m in mentions)},
        (data, attributes_file, splits_file, names_file),
    )


def _data_file(folder: Path) -> Path:
    others = {NAMES, SPLIT_IDS}
    found = sorted(
        path
        for path in folder.glob("*.json")
        if path.name not in others and not path.name.startswith((".", "qid2abs"))
    )
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise DataError(
            f"{folder}: wanted one .json file with the mentions beside {ATTRIBUTES}, {NAMES} and "
            f"{SPLIT_IDS}, found {names}; leave exactly one"
        )
    return found[0]


def _texts(file: Path) -> dict[str, str]:
    return {
        key: plain_text(text, f"{file}, key {key!r}")
        for key, text in read_json_object(file).items()
    }


def _links(record: Row) -> Iterator[Linked]:
    sentence_id, sentence = given_id_of(record, "id"), record.text("sentence")
    rows = row_of_each_mention(record, ("mentions", "entities", "answer"))
    is_list = isinstance(record.values["mentions"], list)
    for number, row in enumerate(rows):
        mention = Mention(
            mention_id=f"{sentence_id}#{number}" if is_list else sentence_id,
            sentence_id=sentence_id,
            surface_form=row.text("mentions"),
            context=sentence,
            image=None,
            gold_qid=gold_of(row.optional("answer")),
            in_kb=False,
            split="",
        )
        yield mention, record.where, row.optional("entities") or ""


def _splits(file: Path, records: set[str]) -> tuple[dict[str, str], dict[str, int]]:
    """Split by record id, and how many ids of either side the other one lacks."""
    content, split_of = read_json_object(file), dict[str, str]()
    for key, ids in content.items():
        split = SPLIT_ALIASES.get(key, key)
        if split not in SPLITS:
            raise DataError(
                f"{file}, key {key!r}: is no split; name them train, valid (or dev) and test"
            )
        if not isinstance(ids, list):
            raise DataError(f"{file}, key {key!r}: must be a list of ids")
        for value in ids:
            name = plain_text(str(value) if type(value) is int else value, f"{file}, key {key!r}")
            if split_of.setdefault(name, split) != split:
                raise DataError(
                    f"{file}: id {name!r} stands in {split_of[name]} and in {split}; keep one"
                )
    counts = {
        "split_ids_without_record": len(split_of.keys() - records),
        "records_without_split": len(records - split_of.keys()),
    }
    return split_of, counts


def _knowledge_base(
    links: list[Linked],
    attributes: dict[str, str],
    names: dict[str, str],
    images: ImageFolder,
) -> tuple[list[Entity], dict[str, int]]:
    """Every qid that has attributes, then the answers that have none.

    A name comes from the names file, else from the first record with that answer, else it is the qid.
    """
    titles: dict[str, str] = {}
    for mention, _, title in links:
        if mention.gold_qid is not None and title.strip():
            titles.setdefault(mention.gold_qid, title)
    answers = dict.fromkeys(m.gold_qid for m, _, _ in links if m.gold_qid is not None)
    qids = list(dict.fromkeys([*attributes, *answers]))
    found = images.by_stem(ENTITY_FOLDER)
    entities = [
        Entity(
            qid=qid,
            name=names.get(qid) or titles.get(qid) or qid,
            attributes=attributes.get(qid, ""),
            images=(found[qid],) if qid in found else (),
        )
        for qid in qids
    ]
    counts = {
        "entities_without_attributes": len(answers.keys() - attributes.keys()),
        "entities_named_by_qid": sum(entity.name == entity.qid for entity in entities),
        "names_without_entity": len(names.keys() - set(qids)),
    }
    return entities, counts


def _mentions(links: list[Linked], split_of: dict[str, str], images: ImageFolder) -> list[Mention]:
    found: dict[str, str] = {}
    for folder in MENTION_FOLDERS:
        found = images.by_stem(folder) | found
    return [
        replace(mention, image=found.get(mention.sentence_id), split=split_of[mention.sentence_id])
        for mention, _, _ in links
        if mention.sentence_id in split_of
    ]
