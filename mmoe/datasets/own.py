"""Format `own`, the sample's and the one to bring your own data in: two tables and pictures.

    mentions.jsonl | mentions.csv    mention_id, word, context, split (train, valid, test);
                                     optional sentence_id (mention_id if absent), picture,
                                     gold_qid (null, "" or "nil": the mention is not in Wikidata)
    entities.jsonl | entities.csv    qid, name; optional attributes, pictures
    pictures                         anywhere below the folder, named relative to it

Other keys are ignored and counted. In CSV `pictures` is one cell, names separated by a bar.
"""

from __future__ import annotations

from pathlib import Path

from mmoe.datasets.pictures import PictureFolder
from mmoe.datasets.raw import RawDataset, check_unique, gold_of, with_in_kb
from mmoe.datasets.rows import Row, read_rows, unknown_keys
from mmoe.errors import DataError
from mmoe.files import sha256_of
from mmoe.records import SPLITS, Entity, Mention

MENTION_KEYS = frozenset(
    {"mention_id", "sentence_id", "word", "context", "picture", "gold_qid", "split"}
)
ENTITY_KEYS = frozenset({"qid", "name", "attributes", "pictures"})
ENDINGS = (".jsonl", ".csv")


def recognises(folder: Path) -> bool:
    """Whether the folder holds one of the two tables."""
    return any(_choices(folder, stem) for stem in ("mentions", "entities"))


def read_own(folder: Path) -> RawDataset:
    """Reads a folder in our own format.

    Raises:
        DataError: naming file, row, key and remedy of the first thing that is wrong.
    """
    files = [_table(folder, stem) for stem in ("mentions", "entities")]
    mention_rows, entity_rows = (read_rows(file) for file in files)
    pictures = PictureFolder(folder)
    missing = {"missing_mention_pictures": 0, "missing_entity_pictures": 0}
    mentions = [_mention(row, pictures, missing) for row in mention_rows]
    entities = [_entity(row, pictures, missing) for row in entity_rows]
    check_unique("mention_id", _places([m.mention_id for m in mentions], mention_rows))
    check_unique("qid", _places([e.qid for e in entities], entity_rows))
    return RawDataset(
        format="own",
        mentions=with_in_kb(mentions, entities),
        entities=entities,
        counts=missing
        | _ignored("mentions", mention_rows, MENTION_KEYS)
        | _ignored("entities", entity_rows, ENTITY_KEYS),
        sources={file.name: sha256_of(file) for file in files},
    )


def _choices(folder: Path, stem: str) -> list[Path]:
    return [path for ending in ENDINGS if (path := folder / f"{stem}{ending}").is_file()]


def _table(folder: Path, stem: str) -> Path:
    found = _choices(folder, stem)
    if not found:
        raise DataError(f"{folder}: no {stem}.jsonl or {stem}.csv; add one of them")
    if len(found) > 1:
        raise DataError(f"{folder}: holds {stem}.jsonl and {stem}.csv; remove one of them")
    return found[0]


def _mention(row: Row, pictures: PictureFolder, missing: dict[str, int]) -> Mention:
    mention_id, split = row.filled("mention_id"), row.text("split")
    if split not in SPLITS:
        raise DataError(
            f"{row.where}, key `split`: {split!r} is no split; write one of {', '.join(SPLITS)}"
        )
    listed = row.optional("picture")
    picture = pictures.find(listed, f"{row.where}, key `picture`") if listed else None
    missing["missing_mention_pictures"] += listed is not None and picture is None
    return Mention(
        mention_id=mention_id,
        sentence_id=row.optional("sentence_id") or mention_id,
        word=row.filled("word"),
        context=row.text("context"),
        picture=picture,
        gold_qid=gold_of(row.optional("gold_qid")),
        in_kb=False,
        split=split,
    )


def _entity(row: Row, pictures: PictureFolder, missing: dict[str, int]) -> Entity:
    qid = gold_of(row.filled("qid"))
    if qid is None:
        raise DataError(f'{row.where}, key `qid`: "nil" means no entity; give the entity its id')
    listed = [name for name in row.texts("pictures") if name]
    found = [pictures.find(name, f"{row.where}, key `pictures`") for name in listed]
    missing["missing_entity_pictures"] += found.count(None)
    return Entity(
        qid=qid,
        name=row.filled("name"),
        attributes=row.optional("attributes") or "",
        pictures=tuple(name for name in found if name is not None),
    )


def _places(ids: list[str], rows: list[Row]) -> list[tuple[str, str]]:
    return [(name, row.where) for name, row in zip(ids, rows, strict=True)]


def _ignored(table: str, rows: list[Row], known: frozenset[str]) -> dict[str, int]:
    counts = unknown_keys(rows, known)
    return {f"ignored_key.{table}.{key}": number for key, number in counts.items()}
