"""A knowledge base from a dump, in two readings: the items, then the labels of all that they refer to.

Where kinds stand for their subclasses too, a reading before them finds these. What a reading found is kept
in work folders beside the tables until these are written, so that a run after a kill goes on from there:

.kb-<dump>-<state>-<request>   the chosen items: drafts, and counts when all are there
.kb-<dump>-<state>-<kinds>     the kinds with their subclasses, whatever else is asked for
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, content_key, read_json, sources_key, write_json
from mmoe.wikidata.dump import STANDARD_INPUT, Part, entities_in, parts_of
from mmoe.wikidata.knowledge.drafts import Draft, read_drafts, write_draft
from mmoe.wikidata.knowledge.reading import (
    BEYOND,
    Chooser,
    Subclasses,
    copied,
    labels_in,
    most_linked,
)
from mmoe.wikidata.knowledge.request import KbRequest
from mmoe.wikidata.knowledge.write import (
    LOCK,
    SLICE,
    forget_previous,
    nothing_chosen,
    write_knowledge_base,
)
from mmoe.wikidata.work import exclusive_folder

WORK = ".kb-"  # work folders begin so
DRAFTS, COUNTS = "drafts.jsonl", "counts.json"  # the latter stands for chosen items
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
        work = _Work(folder, parts, request)
        if not (work.chosen / COUNTS).is_file():
            _choose(parts, work, request)
        counts: dict[str, int] = read_json(work.chosen / COUNTS)
        if not counts["chosen"]:
            shutil.rmtree(work.chosen)  # of no use to a request that chooses other items
            raise WikidataError(f"{dump}: {nothing_chosen(counts)}")
        drafts = _DraftFile(work.chosen / DRAFTS)
        if request.max_entities is not None:
            drafts = _DraftFile(work.chosen / DRAFTS, most_linked(drafts, request.max_entities))
            counts[BEYOND] = counts["chosen"] - len(drafts.qids())
        forget_previous(folder)
        needed = {name for draft in drafts for name in draft.refers_to()}
        labels = _labels(parts, folder, request, needed, drafts)
        source = {"dump": [part.name for part in parts]}
        counts = write_knowledge_base(folder, drafts, request, needed, labels, source, counts)
        work.remove()
        return counts


class _Work:
    """The work folders of a run.

    Attributes:
        chosen: of the items that are chosen.
        kinds: of the kinds with their subclasses; other requests of the same kinds have the same.
    """

    def __init__(self, folder: Path, parts: Sequence[Part], request: KbRequest) -> None:
        states = [(part.path, part.size, Path(part.path).stat().st_mtime_ns) for part in parts]
        state = content_key(states, sources_key(Path(__file__).parents[1]))
        self._folder, self._with_subclasses = folder, request.choice.with_subclasses
        self._dump = f"{WORK}{content_key([part.path for part in parts])}-"
        self._state = f"{self._dump}{state}-"
        kinds: Collection[str] = request.choice.kinds or ()
        self.chosen = folder / f"{self._state}{content_key('request', request.key_parts())}"
        self.kinds = folder / f"{self._state}{content_key('kinds', sorted(kinds))}"

    def remove(self) -> None:
        """Removes the work of this run, and what is of no use any more: the dump or the code has changed.

        Unfinished work for other requests stays.
        """
        own = [self.chosen, *([self.kinds] if self._with_subclasses else [])]
        for found in self._folder.glob(f"{self._dump}*"):
            if found in own or not found.name.startswith(self._state):
                shutil.rmtree(found)


@dataclass(frozen=True)
class _DraftFile:
    """The drafts of a file; `kept` are the qids of those that are not left out, None for all."""

    file: Path
    kept: Collection[str] | None = None

    def __iter__(self) -> Iterator[Draft]:
        return (d for d in read_drafts(self.file) if self.kept is None or d.qid in self.kept)

    def qids(self) -> set[str]:
        return {draft.qid for draft in self}


def _choose(parts: Sequence[Part], work: _Work, request: KbRequest) -> None:
    """Reads the items: drafts of the chosen ones, and counts."""
    counts: dict[str, int] = {}
    if request.choice.with_subclasses:
        kinds, counts = _kinds(parts, work.kinds / KINDS, request)
        request = replace(request, choice=replace(request.choice, closed_kinds=kinds))
    chooser = Chooser(request)
    with atomic_write(work.chosen / DRAFTS) as temporary, temporary.open("wb") as out:
        for draft in chooser.drafts(entities_in(parts, "choosing items")):
            write_draft(draft, out)
    chooser.tally.check(parts[0].path, enough=1)
    write_json(work.chosen / COUNTS, chooser.counts() | counts)


def _kinds(
    parts: Sequence[Part], kept: Path, request: KbRequest
) -> tuple[frozenset[str], dict[str, int]]:
    """Reads the subclasses: (the kinds and all below them, counts)."""
    assert request.choice.kinds is not None, "a user who names no kind was refused"
    if not kept.is_file():
        subclasses = Subclasses()
        subclasses.read(entities_in(parts, "reading subclasses"))
        kinds = sorted(subclasses.closed(request.choice.kinds))
        write_json(kept, {"kinds": kinds, "unread": subclasses.num_unread})
    found = read_json(kept)
    unread = {UNREAD: found["unread"]} if found["unread"] else {}
    return frozenset(found["kinds"]), {SUBCLASSES: len(found["kinds"])} | unread


def _labels(
    parts: Sequence[Part],
    folder: Path,
    request: KbRequest,
    needed: Collection[str],
    drafts: _DraftFile,
) -> dict[str, str]:
    """Reads the labels, and copies the slice if it is wanted."""
    lines = entities_in(parts, "reading labels")
    if not request.with_slice:
        return labels_in(lines, needed, request.languages)
    with atomic_write(folder / SLICE) as temporary, temporary.open("wb") as out:
        return labels_in(copied(lines, drafts.qids(), out), needed, request.languages)
