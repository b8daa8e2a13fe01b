"""A knowledge base from a dump, in two readings: the items, then the labels of all that they refer to.

Where kinds stand for their subclasses too, a reading before them finds these. What a reading found is kept
in work folders beside the tables until these are written, so that a run after a kill goes on from there:

.kb-<dump and request>   the chosen items: drafts, and counts when all are there
.kb-<dump and kinds>     the kinds with their subclasses, whatever else is asked for
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from mmoe.errors import WikidataError
from mmoe.files import content_key, read_json, sources_key, write_json
from mmoe.wikidata.dump import STANDARD_INPUT, Part, entities_in, id_of, parsed, parts_of
from mmoe.wikidata.entity import best_ids, is_qid, label_of, qid_number
from mmoe.wikidata.knowledge.chooser import Chooser
from mmoe.wikidata.knowledge.drafts import read_drafts
from mmoe.wikidata.knowledge.request import KbRequest
from mmoe.wikidata.knowledge.write import LOCK, nothing_chosen, write_knowledge_base
from mmoe.wikidata.work import exclusive_folder, write_json_rows

WORK = ".kb-"  # work folders begin so
DRAFTS, COUNTS = "drafts.jsonl", "counts.json"  # the latter stands for chosen items
LATER = ("max_entities", "with_description", "with_slice")  # on these no draft depends
KINDS = "kinds.json"  # stands for a whole reading of the subclasses
SUBCLASSES = "kinds with their subclasses"
UNREAD = "items whose classes can't be read"
SUBCLASS_OF = "P279"

_MARK = b'"P279"'  # in every line that states it; most lines don't, and are not parsed


def build_from_dump(dump: str, folder: Path, request: KbRequest) -> dict[str, int]:
    """Writes a knowledge base of a dump's items; what stands in `folder` is replaced.

    If it is killed between two readings, the next run begins with the second of them.

    Returns:
        Counts, as kb.json has them.
    Raises:
        WikidataError: if the dump can't be read, no item of it is chosen, or another run writes to `folder`.
    """
    if dump == STANDARD_INPUT:
        raise WikidataError("-: standard input can't be read twice; write it to a file first")
    parts = parts_of(dump)
    with exclusive_folder(folder, LOCK):
        states = [(part.path, part.size, Path(part.path).stat().st_mtime_ns) for part in parts]
        state = content_key(states, sources_key(Path(__file__).parents[1]))
        asked = {key: value for key, value in request.as_json().items() if key not in LATER}
        chosen = folder / f"{WORK}{content_key(state, 'request', asked)}"
        kinds = folder / f"{WORK}{content_key(state, 'kinds', asked['choice']['kinds'])}"
        if not (chosen / COUNTS).is_file():
            _choose(parts, chosen, kinds / KINDS, request)
        counts: dict[str, int] = read_json(chosen / COUNTS)
        if not counts["chosen"]:
            shutil.rmtree(chosen)  # of no use to a request that chooses other items
            raise WikidataError(f"{dump}: {nothing_chosen(counts)}")
        drafts = partial(read_drafts, chosen / DRAFTS)
        labels_of = partial(_labels, parts, request.languages)
        source = {"dump": [part.name for part in parts]}
        counts = write_knowledge_base(folder, request, drafts, labels_of, source, counts)
        for done_with in folder.glob(f"{WORK}*"):
            shutil.rmtree(done_with)
        return counts


def _choose(parts: Sequence[Part], chosen: Path, kinds_file: Path, request: KbRequest) -> None:
    """Reads the items: drafts of the chosen ones, and counts."""
    counts: dict[str, int] = {}
    if request.choice.with_subclasses:
        kinds, counts = _kinds(parts, kinds_file, request)
        request = replace(request, choice=replace(request.choice, closed_kinds=kinds))
    chooser = Chooser(request)
    write_json_rows(chosen / DRAFTS, chooser.drafts(entities_in(parts, "choosing items")))
    chooser.tally.check(parts[0].path, enough=1)
    write_json(chosen / COUNTS, chooser.counts() | counts)


def _kinds(
    parts: Sequence[Part], kept: Path, request: KbRequest
) -> tuple[frozenset[str], dict[str, int]]:
    """Reads the subclasses: (the kinds and all below them, counts)."""
    assert request.choice.kinds is not None, "a user who names no kind was refused"
    if not kept.is_file():
        lines = entities_in(parts, "reading subclasses")
        kinds, num_unread = with_subclasses(lines, request.choice.kinds)
        write_json(kept, {"kinds": sorted(kinds), "unread": num_unread})
    found = read_json(kept)
    unread = {UNREAD: found["unread"]} if found["unread"] else {}
    return frozenset(found["kinds"]), {SUBCLASSES: len(found["kinds"])} | unread


def _labels(
    parts: Sequence[Part],
    languages: Sequence[str],
    needed: set[str],
    chosen: set[str],
    out: BinaryIO | None,
) -> dict[str, str]:
    """Reads the labels that are needed, as far as the dump holds them, and copies the chosen items.

    A broken line was counted when the items were chosen and is passed over.

    Args:
        out: a slice that gets the first line of each chosen item, as it is; None for none.
    """
    labels: dict[str, str] = {}
    to_copy = set() if out is None else set(chosen)
    for line in entities_in(parts, "reading labels"):
        name = id_of(line)
        if out is not None and name in to_copy:
            out.write(line + b"\n")
            to_copy.discard(name)
        if name in needed and name not in labels:
            label = label_of(parsed(line) or {}, languages)
            if label is not None:
                labels[name] = label
    return labels


def with_subclasses(lines: Iterable[bytes], kinds: Collection[str]) -> tuple[frozenset[str], int]:
    """The kinds and all classes that a dump states to be below them, and items that can't be read.

    Best-ranked statements only; classes may be below each other. A broken line is passed over: it is counted
    when the items are chosen.
    """
    below: defaultdict[int, list[int]] = defaultdict(list)  # as numbers: a whole dump has millions
    num_unread = 0
    for line in lines:
        entity = parsed(line) if _MARK in line else None
        if entity is None or not is_qid(entity.get("id")):
            continue
        try:
            classes = best_ids(entity, SUBCLASS_OF, f"item {entity['id']}")
        except WikidataError:
            classes = [""]
        if not all(map(is_qid, classes)):
            num_unread += 1
            continue
        for kind in classes:
            below[qid_number(kind)].append(qid_number(entity["id"]))
    found = {qid_number(kind) for kind in kinds}
    left = list(found)
    while left:
        new = set(below.get(left.pop(), ())) - found
        found |= new
        left.extend(new)
    return frozenset(f"Q{number}" for number in found), num_unread
