"""A knowledge base from a dump, in two readings: the items, then the labels of all that they refer to.

Where kinds stand for their subclasses too, a reading before them finds these. What a reading found is kept
in work folders beside the tables until these are written, so that a run after a kill goes on from there:

.kb-<dump and request>   the chosen items: drafts, and counts when all are there
.kb-<dump and kinds>     the kinds with their subclasses, whatever else is asked for
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from mmoe.errors import WikidataError
from mmoe.files import content_key, read_json, sources_key, write_json
from mmoe.wikidata.dump import STANDARD_INPUT, Part, entities_in, parts_of
from mmoe.wikidata.knowledge.drafts import read_drafts
from mmoe.wikidata.knowledge.reading import Chooser, copied, labels_in, with_subclasses
from mmoe.wikidata.knowledge.request import KbRequest
from mmoe.wikidata.knowledge.write import LOCK, nothing_chosen, write_knowledge_base
from mmoe.wikidata.work import exclusive_folder, write_json_rows

WORK = ".kb-"  # work folders begin so
DRAFTS, COUNTS = "drafts.jsonl", "counts.json"  # the latter stands for chosen items
LATER = ("max_entities", "with_description", "with_slice")  # on these no draft depends
KINDS = "kinds.json"  # stands for a whole reading of the subclasses
SUBCLASSES = "kinds with their subclasses"
UNREAD = "items whose classes can't be read"


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
    """Reads the labels, and copies the chosen items to a slice if there is one."""
    lines = entities_in(parts, "reading labels")
    return labels_in(lines if out is None else copied(lines, chosen, out), needed, languages)
