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
from typing import Any

from mmoe.datasets.images import ImageFolder
from mmoe.datasets.published import equal_columns
from mmoe.datasets.raw import RawDataset, check_unique, dataset_of, gold_of, require_file
from mmoe.datasets.rows import plain_text, read_json_object
from mmoe.errors import DataError
from mmoe.records import SPLITS, Entity, Mention

ATTRIBUTES, NAMES, SPLIT_IDS = "qid2abs.json", "qid2ne.json", "splits.json"
MENTION_FOLDERS, ENTITY_FOLDER = ("mention_image", "mention_images"), "kb_image"
SPLIT_ALIASES = {"dev": "valid"}


# A mention whose split and image aren't known yet, and the title of the entity that it means.
Linked = tuple[Mention, str]


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
    records = read_json_object(data)
    links = [link for key, record in records.items() for link in _links(data, key, record)]
    check_unique(
        "mention id", ((m.mention_id, f"{data}, record {m.sentence_id!r}") for m, _ in links)
    )
    split_of, split_counts = _splits(splits_file, {_id(data, k, r) for k, r in records.items()})
    attributes, names = _texts(attributes_file), _texts(names_file) if names_file else {}
    entities, name_counts = _knowledge_base(links, attributes, names, ImageFolder(folder))
    mentions = _mentions(links, split_of, ImageFolder(folder))
    files = [data, attributes_file, splits_file, *([names_file] if names_file else [])]
    return dataset_of(
        "melbench",
        mentions,
        entities,
        # RichpediaMEL has a few; a score is comparable only if they stay in.
        split_counts
        | name_counts
        | {"empty_surface_forms": sum(not m.surface_form.strip() for m in mentions)},
        files,
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


def _id(file: Path, key: str, record: Any) -> str:
    """A record's id: its key in the file unless the record itself says otherwise."""
    if not isinstance(record, dict):
        raise DataError(f"{file}, record {key!r}: must be an object")
    value = record.get("id", key)
    return plain_text(
        str(value) if type(value) is int else value, f"{file}, record {key!r}, key `id`"
    )


def _links(file: Path, key: str, record: Any) -> Iterator[Linked]:
    sentence_id = _id(file, key, record)
    where = f"{file}, record {key!r}"
    for name in ("sentence", "mentions", "entities", "answer"):
        if name not in record:
            raise DataError(f"{where}: key `{name}` is missing; add it to the record")
    sentence = plain_text(record["sentence"], f"{where}, key `sentence`")
    names = ("mentions", "entities", "answer")
    columns = equal_columns({name: record[name] for name in names}, where)
    is_list = isinstance(record["mentions"], list)
    rows = zip(*columns.values(), strict=True)
    for number, (form, title, answer) in enumerate(rows):
        title = "" if title is None else plain_text(title, f"{where}, key `entities`")
        answer = None if answer is None else plain_text(answer, f"{where}, key `answer`")
        mention = Mention(
            mention_id=f"{sentence_id}#{number}" if is_list else sentence_id,
            sentence_id=sentence_id,
            surface_form=plain_text(form, f"{where}, key `mentions`"),
            context=sentence,
            image=None,
            gold_qid=gold_of(answer),
            in_kb=False,
            split="",
        )
        yield mention, title


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
    for mention, title in links:
        if mention.gold_qid is not None and title.strip():
            titles.setdefault(mention.gold_qid, title)
    answers = dict.fromkeys(m.gold_qid for m, _ in links if m.gold_qid is not None)
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
        for mention, _ in links
        if mention.sentence_id in split_of
    ]
