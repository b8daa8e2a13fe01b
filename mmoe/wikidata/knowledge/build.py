"""A knowledge base from a dump, in two readings: the items, then the labels of all that they refer to.

Where kinds stand for their subclasses too, a reading before them finds these. What it found is kept until a
knowledge base is written: after a mistyped name only the items are read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, read_json, write_json
from mmoe.wikidata.index.stream import Part
from mmoe.wikidata.knowledge.drafts import Draft, read_drafts, write_draft
from mmoe.wikidata.knowledge.lines import files_of, lines_of
from mmoe.wikidata.knowledge.reading import BEYOND, Chooser, copied, labels_in, most_linked
from mmoe.wikidata.knowledge.request import Request
from mmoe.wikidata.knowledge.subclasses import Subclasses
from mmoe.wikidata.knowledge.work import Work
from mmoe.wikidata.knowledge.write import (
    SLICE,
    alone_writing,
    forget_previous,
    nothing_chosen,
    write_knowledge_base,
)

DRAFTS, COUNTS = "drafts.jsonl", "counts.json"  # the latter stands for chosen items
KINDS = "kinds.json"  # stands for a whole reading of the subclasses
SUBCLASSES = "kinds with their subclasses"
UNREAD = "items whose classes can't be read"


def build_from_dump(dump: str, folder: Path, request: Request) -> dict[str, int]:
    """Writes a knowledge base of a dump's items; what stands in `folder` is replaced.

    If it is killed between two readings, the next run begins with the second of them.

    Returns:
        Counts, as kb.json has them.
    Raises:
        WikidataError: if the dump can't be read, no item of it is chosen, or another run writes to `folder`.
    """
    files = files_of(dump)
    with alone_writing(folder):
        return _build(dump, files, folder, request)


def _build(dump: str, files: Sequence[Part], folder: Path, request: Request) -> dict[str, int]:
    work = Work(folder, files, request)
    if not (work.chosen / COUNTS).is_file():
        _choose(files, work, request)
    counts: dict[str, int] = read_json(work.chosen / COUNTS)
    if not counts["chosen"]:
        work.forget_chosen()
        raise WikidataError(f"{dump}: {nothing_chosen(counts)}")
    drafts = DraftFile(work.chosen / DRAFTS)
    if request.max_entities is not None:
        drafts = DraftFile(work.chosen / DRAFTS, most_linked(drafts, request.max_entities))
        counts[BEYOND] = counts["chosen"] - len(drafts.qids())
    forget_previous(folder)
    needed = {name for draft in drafts for name in draft.refers_to()}
    labels = _labels(files, folder, request, needed, drafts)
    source = {"dump": [file.name for file in files]}
    counts = write_knowledge_base(folder, drafts, request, needed, labels, source, counts)
    work.remove()
    return counts


@dataclass(frozen=True)
class DraftFile:
    """The drafts of a file, of which some may be left out.

    Attributes:
        kept: qids of those that are not; null for all.
    """

    file: Path
    kept: Collection[str] | None = None

    def __iter__(self) -> Iterator[Draft]:
        return (d for d in read_drafts(self.file) if self.kept is None or d.qid in self.kept)

    def qids(self) -> set[str]:
        """Their items."""
        return {draft.qid for draft in self}


def _choose(files: Sequence[Part], work: Work, request: Request) -> None:
    """Reads the items: drafts of the chosen ones, and counts."""
    counts: dict[str, int] = {}
    if request.choice.with_subclasses:
        kinds, counts = _kinds(files, work.kinds / KINDS, request)
        request = replace(request, choice=replace(request.choice, closed_kinds=kinds))
    chooser = Chooser(request)
    with atomic_write(work.chosen / DRAFTS) as temporary, temporary.open("wb") as out:
        for draft in chooser.drafts(lines_of(files, "choosing items")):
            write_draft(draft, out)
    chooser.tally.check(files[0].path, enough=1)
    write_json(work.chosen / COUNTS, chooser.counts() | counts)


def _kinds(
    files: Sequence[Part], kept: Path, request: Request
) -> tuple[frozenset[str], dict[str, int]]:
    """Reads the subclasses: (the kinds and all below them, counts)."""
    assert request.choice.kinds is not None, "a user who names no kind was refused"
    if not kept.is_file():
        subclasses = Subclasses()
        subclasses.read(lines_of(files, "reading subclasses"))
        kinds = sorted(subclasses.closed(request.choice.kinds))
        write_json(kept, {"kinds": kinds, "unread": subclasses.num_unread})
    found = read_json(kept)
    counts = {SUBCLASSES: len(found["kinds"])}
    if found["unread"]:
        counts[UNREAD] = found["unread"]
    return frozenset(found["kinds"]), counts


def _labels(
    files: Sequence[Part],
    folder: Path,
    request: Request,
    needed: Collection[str],
    drafts: DraftFile,
) -> dict[str, str]:
    """Reads the labels, and copies the slice if it is wanted."""
    lines = lines_of(files, "reading labels")
    if not request.with_slice:
        return labels_in(lines, needed, request.languages)
    with atomic_write(folder / SLICE) as temporary, temporary.open("wb") as out:
        return labels_in(copied(lines, drafts.qids(), out), needed, request.languages)
