"""What the published formats share: mentions with ids that may repeat, and a file for each split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from mmoe.datasets.raw import check_unique, gold_of
from mmoe.datasets.rows import Row
from mmoe.errors import DataError
from mmoe.records import SPLITS, Entity, Mention

_SPLIT_NAMES = "|".join((*SPLITS, "dev"))


def mentions_of(found: Sequence[tuple[Mention, str]]) -> tuple[list[Mention], dict[str, int]]:
    """The mentions of a data set with ids of their own, and what was noticed.

    An id that stands once is kept. Of one that stands several times every mention gets a number after
    it, `12#0`, `12#1`. Mentions with one text in one split share the sentence_id of the first. Surface forms
    are percent-decoded.

    Args:
        found: (mention as a file lists it, where it stands). Its mention_id is the file's own, of the mention
            or of its sentence, and need not be unique.
    Raises:
        DataError: if a made id meets one of the file.
    """
    listed = [mention for mention, _ in found]
    total, seen = Counter(mention.mention_id for mention in listed), Counter[str]()
    sentence_ids, num_renamed = _sentence_ids(listed)
    mentions = []
    for mention, sentence_id in zip(listed, sentence_ids, strict=True):
        given_id, form = mention.mention_id, percent_decoded(mention.surface_form)
        own_id = given_id if total[given_id] == 1 else f"{given_id}#{seen[given_id]}"
        seen[given_id] += 1
        mentions.append(
            replace(mention, mention_id=own_id, sentence_id=sentence_id, surface_form=form)
        )
    places = (where for _, where in found)
    check_unique("mention id", zip((m.mention_id for m in mentions), places, strict=True))
    return mentions, _counts(listed, mentions) | {"ids_of_several_sentences": num_renamed}


def distinct_entities(found: Iterable[tuple[Entity, str]]) -> tuple[list[Entity], int]:
    """The entities, each once, and how many were the repetition of another one.

    Args:
        found: (entity, where it stands).
    Raises:
        DataError: if two entities with one qid differ.
    """
    seen: dict[str, tuple[Entity, str]] = {}
    num_repeated = 0
    for entity, where in found:
        first, place = seen.setdefault(entity.qid, (entity, where))
        if entity != first:
            raise DataError(
                f"{where}: qid {entity.qid!r} stands already in {place} with other values; keep one"
            )
        num_repeated += where != place
    return [entity for entity, _ in seen.values()], num_repeated


def given_id_of(row: Row, key: str) -> str:
    """A row's own id, a text or a whole number.

    Raises:
        DataError: if it is missing, empty or anything else.
    """
    value = row.values.get(key)
    return str(value) if type(value) is int else row.filled(key)


def row_of_each_mention(row: Row, keys: Sequence[str]) -> list[Row]:
    """The row once for each of its mentions, of which `keys` hold a text each, or lists of equal length.

    Types are left to whoever reads the values.

    Raises:
        DataError: if a key is missing, or the lists differ in length.
    """
    columns = {key: row.value(key) for key in keys}
    sizes = {key: len(v) if isinstance(v, list) else "no list" for key, v in columns.items()}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{key} {size}" for key, size in sizes.items())
        names = ", ".join(f"`{key}`" for key in columns)
        raise DataError(
            f"{row.where}: {names} must all be texts, or lists of equal length, found {found}"
        )
    if "no list" in sizes.values():
        return [row]
    each = zip(*columns.values(), strict=True)
    return [replace(row, values=row.values | dict(zip(columns, one, strict=True))) for one in each]


def entity_qid(row: Row) -> str:
    """The qid of a row of the knowledge base.

    Raises:
        DataError: if it is missing, empty or nil.
    """
    qid = gold_of(row.filled("qid"))
    if qid is None:
        raise DataError(f'{row.where}, key `qid`: "nil" means no entity; remove the row')
    return qid


def ignored_keys(table: str, rows: Iterable[Row], known: frozenset[str]) -> dict[str, int]:
    """How many rows of a table hold each key that the reader does not look at, as counts."""
    found = Counter(key for row in rows for key in row.values.keys() - known)
    return {f"ignored_key.{table}.{key}": found[key] for key in sorted(found)}


def percent_decoded(text: str) -> str:
    """`text` without percent-encoding; as it stands where that would not be UTF-8."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


def _sentence_ids(listed: Sequence[Mention]) -> tuple[list[str], int]:
    """The sentence_id of each mention, and how many sentences could not have the file's own id."""
    id_of: dict[tuple[str, str, str], str] = {}
    taken: set[str] = set()
    num_renamed = 0
    for mention in listed:
        key = _sentence_key(mention)
        if key in id_of:
            continue
        name, number = mention.mention_id, 1
        while name in taken:
            number += 1
            name = f"{mention.mention_id}~{number}"
        num_renamed += number > 1
        taken.add(name)
        id_of[key] = name
    return [id_of[_sentence_key(mention)] for mention in listed], num_renamed


def _sentence_key(mention: Mention) -> tuple[str, str, str]:
    # An empty text says nothing of belonging together.
    given_id = "" if mention.context.strip() else mention.mention_id
    return (mention.split, mention.context, given_id)


def _counts(listed: Sequence[Mention], mentions: Sequence[Mention]) -> dict[str, int]:
    return {
        "percent_encoded_surface_forms": sum(
            before.surface_form != after.surface_form
            for before, after in zip(listed, mentions, strict=True)
        ),
        "empty_surface_forms": sum(not mention.surface_form.strip() for mention in mentions),
        "surface_forms_not_in_sentence": sum(
            mention.surface_form not in mention.context for mention in mentions
        ),
        "mentions_with_description": sum(m.description is not None for m in mentions),
    }


def split_files(folder: Path, ending: str) -> dict[str, Path]:
    """The file of each split: `train`, `valid` (or `dev`) and `test`, alone or after `<name>_`.

    Args:
        ending: .json or .jsonl.
    Raises:
        DataError: if a split has no file or two, or the folder holds more than one data set.
    """
    found = files_of_splits(folder, ending)
    shown = ", ".join(sorted(path.name for _, _, path in found)) or "none"
    sets = sorted({name for name, _, _ in found})
    if len(sets) > 1:
        raise DataError(
            f"{folder}: holds the splits of {len(sets)} data sets ({shown}); "
            "give each data set a folder of its own"
        )
    files: dict[str, Path] = {}
    for _, split, path in sorted(found):
        other = files.setdefault(split, path)
        if other != path:
            raise DataError(
                f"{folder}: holds {other.name} and {path.name} for split {split}; remove one of them"
            )
    missing = [split for split in SPLITS if split not in files]
    if missing:
        raise DataError(
            f"{folder}: no file for {' and '.join(missing)}: wanted <name>_<split>{ending} for "
            f"train, valid (or dev) and test, found {shown}; put the missing ones there"
        )
    return {split: files[split] for split in SPLITS}


def files_of_splits(folder: Path, ending: str) -> list[tuple[str, str, Path]]:
    """Data set, split and path of each file whose name is that of a split."""
    pattern = re.compile(rf"(?:(?P<name>.+)_)?(?P<split>{_SPLIT_NAMES}){re.escape(ending)}")
    matches = [(pattern.fullmatch(path.name), path) for path in folder.glob(f"*{ending}")]
    return [
        (match["name"] or "", "valid" if match["split"] == "dev" else match["split"], path)
        for match, path in matches
        if match is not None and path.is_file() and not path.name.startswith(".")
    ]
