"""Everything there is to say about a raw folder: problems that stop ingest, and what is worth a look."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from mmoe.datasets import own
from mmoe.datasets.fingerprints import fingerprint_images
from mmoe.datasets.own import OwnTables, Table
from mmoe.datasets.own_schema import RENAMED, ROWS
from mmoe.datasets.problems import Kind, Notice, Problems
from mmoe.datasets.raw import with_in_kb
from mmoe.datasets.registry import FORMATS, read_dataset
from mmoe.records import SPLITS, Entity, Mention


@dataclass(frozen=True)
class Findings:
    """What a look at a folder found.

    Attributes:
        size: mentions by split and entities, in words.
        counts: what the reader counted and passed over; empty for our own format, where every one
            of them is a notice.
    """

    size: str
    counts: dict[str, int]
    problems: Problems
    notices: Problems


def examine(folder: Path, format: str, max_pixels: int | None) -> Findings:  # noqa: A002
    """Looks at a folder in any format; of our own format every problem is found at once.

    Args:
        format: as the knob data.format.
        max_pixels: every image is opened, and one of more pixels is a problem; None: none is opened.
    Raises:
        DataError: if the folder is not recognised; in other formats, the first thing that is wrong.
    """
    found = [name for name, kind in FORMATS.items() if kind.recognises(folder)]
    if folder.is_dir() and (format == "own" or (format == "auto" and found == ["own"])):
        return examine_own(folder, tuple(ROWS), max_pixels)
    dataset = read_dataset(folder, format)
    problems, notices = Problems(), Problems()
    _check_gold(folder, dataset.mentions, problems)
    if max_pixels is not None:
        names = {m.image for m in dataset.mentions if m.image}
        names |= {image for entity in dataset.entities for image in entity.images}
        _check_images(folder, dict.fromkeys(names, f"{folder}"), max_pixels, problems)
    qids = {entity.qid for entity in dataset.entities}
    _notice_mentions(
        dataset.mentions, qids, lambda m: f"{folder}, mention {m.mention_id!r}", notices
    )
    _notice_entities(dataset.entities, lambda e: f"{folder}, entity {e.qid!r}", notices)
    size = _size(dataset.format, dataset.mentions, dataset.entities)
    return Findings(size, dataset.counts, problems, notices)


def examine_own(folder: Path, names: Collection[str], max_pixels: int | None) -> Findings:
    """Looks at the named tables of a folder in our own format, and at the images that they list."""
    read, notices = own.read_tables(folder, names), Problems()
    mention_table, entity_table = read.mention_table, read.entity_table
    for table in (mention_table, entity_table):
        for number, key, name in table.absent:
            notices.add(
                Notice.ABSENT,
                f"{table.file}, row {number}, key `{key}`: {name!r} is not there; add the file or "
                "drop the name",
            )
    if max_pixels is not None:
        listed = entity_table.images | mention_table.images
        _check_images(folder, listed, max_pixels, read.problems)
    # A row that can't be read might hold the entity.
    is_known = entity_table.file is not None and not read.problems.of(Kind.BROKEN)
    qids = entity_table.rows.keys() if is_known else None
    _notice_mentions(read.mentions, qids, lambda m: _row(mention_table, m.mention_id), notices)
    _notice_entities(read.entities, lambda e: _row(entity_table, e.qid), notices)
    for table, model in zip((mention_table, entity_table), ROWS.values(), strict=True):
        _notice_keys(table, list(model.model_fields), notices)
    _check_whole(folder, read)
    return Findings(_size("own", read.mentions, read.entities), {}, read.problems, notices)


def _row(table: Table, name: str) -> str:
    return f"{table.file}, row {table.rows[name]}"


def _size(name: str, mentions: list[Mention], entities: list[Entity]) -> str:
    splits = Counter(mention.split for mention in mentions)
    each = ", ".join(f"{splits[split]:,} {split}" for split in SPLITS)
    return f"format {name}, {len(mentions):,} mentions ({each}), {len(entities):,} entities"


def _check_whole(folder: Path, read: OwnTables) -> None:
    """What only whole tables can lack; a row that can't be read might hold it."""
    problems, mentions, entities = read.problems, read.mention_table, read.entity_table
    if problems.of(Kind.BROKEN) or problems.of(Kind.ENCODING):
        return
    was_sound = len(problems) == len(problems.of(Kind.IMAGE))
    if entities.file is not None and not entities.rows and was_sound:
        problems.add(
            Kind.TABLE, f"{entities.file}: the knowledge base is empty; list at least one entity"
        )
    if mentions.file is None:
        return
    for split in SPLITS:
        if split not in mentions.splits:
            problems.add(
                Kind.EMPTY_SPLIT,
                f"{mentions.file}: no mention has split {split}; assign some to it",
            )
    if entities.rows and was_sound:
        linked = with_in_kb(read.mentions, read.entities)
        _check_gold(folder, linked, problems, mentions.splits)


def _check_images(
    folder: Path, listed: Mapping[str, str], max_pixels: int, problems: Problems
) -> None:
    """Opens every image once.

    Args:
        listed: image -> the place that names it.
    """
    for image in fingerprint_images(folder, set(listed), max_pixels):
        if image.problem is not None:
            problems.add(
                Kind.IMAGE,
                f"{listed[image.image]}: {image.image!r} can't be opened ({image.problem}); "
                "replace the image or drop its name",
            )


def _check_gold(
    folder: Path, mentions: list[Mention], problems: Problems, splits: Set[str] = frozenset(SPLITS)
) -> None:
    linked = {mention.split for mention in mentions if mention.in_kb}
    for split in SPLITS:
        if split in splits - linked:
            problems.add(
                Kind.EMPTY_SPLIT,
                f"{folder}: no mention of split {split} has its gold entity in the knowledge base; "
                "check its gold qids",
            )


def _notice_mentions(
    mentions: Iterable[Mention],
    qids: Set[str] | None,
    where: Callable[[Mention], str],
    notices: Problems,
) -> None:
    for mention in mentions:
        if _folded(mention.surface_form) not in _folded(mention.context):
            notices.add(
                Notice.SURFACE_FORM,
                f"{where(mention)}, key `surface_form`: {mention.surface_form!r} is not in the context; "
                "check that they belong together",
            )
        gold = mention.gold_qid
        if qids is not None and gold is not None and gold not in qids:
            notices.add(
                Notice.GOLD,
                f"{where(mention)}, key `gold_qid`: the knowledge base lacks {gold!r}; add the entity "
                "or leave it to data.nil",
            )


def _notice_entities(
    entities: Iterable[Entity], where: Callable[[Entity], str], notices: Problems
) -> None:
    for entity in entities:
        if not entity.attributes.strip():
            notices.add(
                Notice.ATTRIBUTES,
                f"{where(entity)}, key `attributes`: nothing is said of {entity.name!r}; "
                "a sentence helps the matcher",
            )


def _notice_keys(table: Table, known: list[str], notices: Problems) -> None:
    renamed = RENAMED[table.name]
    for name, number in sorted(table.ignored.items()):
        close = difflib.get_close_matches(name, [*known, *renamed], n=1)
        likely = renamed.get(close[0], close[0]) if close else None
        remedy = f"did you mean `{likely}`?" if likely else f"known: {', '.join(known)}"
        rows = "1 row" if number == 1 else f"{number:,} rows"
        notices.add(Notice.UNKNOWN, f"{table.file}, key `{name}`: ignored in {rows}; {remedy}")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
