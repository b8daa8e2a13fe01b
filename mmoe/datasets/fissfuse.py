"""Format `fissfuse`: WikiMEL and WikiDiverse as FissFuse publishes them, images in one HDF5 file.

entities.jsonl    qid, name; optional desc
<name>_train.jsonl, <name>_valid.jsonl, <name>_test.jsonl    mention_id, mentions (surface form), sentence;
                  optional imgPath, candidates (qids, the gold one first), answer (the gold qid or nil)
one *.h5, *.hdf5 or *.h5py    group entity_image, members named by qid; group mention_image, members named
                  by the file in imgPath without its ending; each an encoded image as bytes or uint8

The gold qid is `answer` where a row has that key, else the first of `candidates`; where both stand and
differ, the row is counted. An image is named `<file>::<group>/<member>` in the records.
Source: the form in which programs read the release (github.com/pengfei-luo/FissFuse) that use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

from mmoe.datasets.published import (
    distinct_entities,
    entity_qid,
    files_of_splits,
    given_id_of,
    ignored_keys,
    mentions_of,
    percent_decoded,
    split_files,
)
from mmoe.datasets.raw import RawDataset, dataset_of, gold_of, require_file
from mmoe.datasets.rows import Row, read_rows
from mmoe.errors import DataError, one_line
from mmoe.images import ARCHIVE_ENDINGS, LEADS_OUT, archive_keys, leads_out, member_name
from mmoe.records import Entity, Mention

KB = "entities.jsonl"
OF_ENTITY, OF_MENTION = "entity_image", "mention_image"
ENTITY_KEYS = frozenset({"id", "qid", "name", "desc"})
MENTION_KEYS = frozenset({"mention_id", "mentions", "sentence", "imgPath", "candidates", "answer"})


def recognises(folder: Path) -> bool:
    """Whether the folder holds a split as JSON lines."""
    return bool(files_of_splits(folder, ".jsonl"))


def read_fissfuse(folder: Path) -> RawDataset:
    """Reads a folder in FissFuse's format.

    Raises:
        DataError: naming file, row, key and remedy of the first thing that is wrong.
    """
    kb_file = require_file(folder / KB, "it holds the knowledge base; unpack the release here")
    files, images = split_files(folder, ".jsonl"), _Archive(folder)
    entity_rows = read_rows(kb_file)
    mention_rows = {split: read_rows(file) for split, file in files.items()}
    entities, num_repeated = distinct_entities(
        (_entity(row, images), row.where) for row in entity_rows
    )
    noticed = {"missing_mention_images": 0, "answer_is_not_first_candidate": 0}
    mentions, mention_counts = mentions_of(
        [
            (_mention(row, split, images, noticed), row.where)
            for split, rows in mention_rows.items()
            for row in rows
        ]
    )
    return dataset_of(
        "fissfuse",
        mentions,
        entities,
        noticed
        | {"repeated_entities": num_repeated}
        | {"entities_named_by_qid": sum(entity.name == entity.qid for entity in entities)}
        | mention_counts
        | ignored_keys("mentions", chain(*mention_rows.values()), MENTION_KEYS)
        | ignored_keys("entities", entity_rows, ENTITY_KEYS),
        # Not the HDF5 file: it is large, and each image in it is hashed by itself.
        (kb_file, *files.values()),
    )


class _Archive:
    """The members of the folder's HDF5 file."""

    def __init__(self, folder: Path) -> None:
        found = sorted(
            path
            for path in folder.iterdir()
            if path.name.lower().endswith(ARCHIVE_ENDINGS) and path.is_file()
        )
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise DataError(
                f"{folder}: wanted one HDF5 file of images ({', '.join(ARCHIVE_ENDINGS)}), found "
                f"{names}; leave exactly one"
            )
        self._file = found[0]
        if leads_out(folder, self._file.name):
            raise DataError(f"{self._file}: is a symbolic link and {LEADS_OUT}")
        try:
            self._keys = archive_keys(self._file)
        except OSError as error:
            raise DataError(
                f"{self._file}: no whole HDF5 file ({one_line(error)}); fetch it again"
            ) from None
        missing = [group for group in (OF_ENTITY, OF_MENTION) if group not in self._keys]
        if missing:
            raise DataError(
                f"{self._file}: no group {' or '.join(missing)}, found "
                f"{', '.join(sorted(self._keys)) or 'no group'}; name the groups so"
            )

    def find(self, group: str, *keys: str) -> str | None:
        """How records name the first member of these keys that there is; None if there is none."""
        for key in keys:
            if key in self._keys[group]:
                return member_name(self._file.name, f"{group}/{key}")
        return None


def _mention(row: Row, split: str, images: _Archive, noticed: dict[str, int]) -> Mention:
    given_id = given_id_of(row, "mention_id")
    listed = row.optional("imgPath")
    image = images.find(OF_MENTION, *_keys(listed)) if listed else None
    noticed["missing_mention_images"] += listed is not None and image is None
    return Mention(
        mention_id=given_id,
        sentence_id=given_id,
        surface_form=row.text("mentions"),
        context=row.text("sentence"),
        image=image,
        gold_qid=_gold(row, noticed),
        in_kb=False,
        split=split,
    )


def _gold(row: Row, noticed: dict[str, int]) -> str | None:
    if "answer" not in row.values and "candidates" not in row.values:
        raise DataError(f"{row.where}: keys `answer` and `candidates` are missing; add one of them")
    candidates = row.texts("candidates")
    first = gold_of(candidates[0]) if candidates else None
    if "answer" not in row.values:
        return first
    answer = gold_of(row.optional("answer"))
    noticed["answer_is_not_first_candidate"] += bool(candidates) and answer != first
    return answer


def _keys(listed: str) -> Iterator[str]:
    """The members that an image's file may have become: up to the first dot, else all but the ending."""
    name = listed.replace("\\", "/").rpartition("/")[2]
    for spelling in dict.fromkeys((name, unquote(name))):
        yield spelling.partition(".")[0]
        yield spelling.rpartition(".")[0]
        yield spelling


def _entity(row: Row, images: _Archive) -> Entity:
    qid = entity_qid(row)
    image = images.find(OF_ENTITY, qid)
    name = percent_decoded(row.optional("name") or "")
    return Entity(
        qid=qid,
        name=name if name.strip() else qid,
        attributes=row.optional("desc") or "",
        images=() if image is None else (image,),
    )
