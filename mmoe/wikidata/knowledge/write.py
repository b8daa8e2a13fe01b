"""The files of a knowledge base.

entities.jsonl   in our own format: qid, name, attributes, images (none yet)
items.jsonl      what else is known of each: description, image's name on Commons, number of articles, aliases
kb.json          what it was made of, and the counts; written last
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, read_json, write_json
from mmoe.wikidata.entity import qid_number
from mmoe.wikidata.knowledge.drafts import Draft, attributes_of, sentence
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES
from mmoe.wikidata.knowledge.request import KbRequest

ENTITIES, ITEMS, SLICE, RECEIPT = "entities.jsonl", "items.jsonl", "wikidata.jsonl", "kb.json"
LOCK = ".kb.lock"
# There while tables are written: what a killed run wrote is no obstacle.
UNFINISHED = ".kb.unfinished"
BEYOND = "left out: beyond the most linked"
TABLES = (ENTITIES, "entities.csv", ITEMS, SLICE, f"{SLICE}.gz")

# Finds the labels of entities and properties, by id, and copies the chosen items to a slice, if there is one.
LabelsOf = Callable[[set[str], set[str], BinaryIO | None], Mapping[str, str]]


def refuse_to_overwrite(folder: Path) -> None:
    """Refuses to write over tables that are there already, unless a killed run has begun them.

    Raises:
        WikidataError: if `folder` holds one.
    """
    if (folder / UNFINISHED).exists() and not (folder / RECEIPT).exists():
        return
    for name in TABLES:
        if (folder / name).exists():
            raise WikidataError(
                f"{folder / name}: is there already; add --replace to write over it, or choose "
                "another folder"
            )


def nothing_chosen(counts: Mapping[str, int]) -> str:
    """The complaint that no item is chosen, and why not."""
    reasons = "; ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return f"no item is chosen ({reasons}); look at names, ids, kinds and languages"


def write_knowledge_base(
    folder: Path,
    request: KbRequest,
    drafts: Callable[[], Iterable[Draft]],
    labels_of: LabelsOf,
    source: Mapping[str, Any],
    counts: Mapping[str, int],
) -> dict[str, int]:
    """Writes the slice, if it is wanted, the tables and the receipt.

    Args:
        drafts: gives those of the chosen items, each time anew.
        labels_of: finds labels in the source.
        source: what the receipt says first.
        counts: of the items that were chosen and left out.
    Returns:
        All counts, as kb.json has them.
    """
    counts = dict(counts)
    kept = {draft.qid for draft in drafts()}
    if request.max_entities is not None:
        best = most_linked(drafts(), request.max_entities)
        counts[BEYOND] = len(kept) - len(best)
        kept = best

    def entities() -> Iterator[Draft]:
        return (draft for draft in drafts() if draft.qid in kept)

    needed = {name for draft in entities() for name in draft.refers_to()}
    with ExitStack() as stack:
        out = None
        if request.with_slice:
            temporary = stack.enter_context(atomic_write(folder / SLICE))
            out = stack.enter_context(temporary.open("wb"))
        found = labels_of(needed, kept, out)
        (folder / UNFINISHED).touch()
        _forget_previous(folder)
    own = dict(DEFAULT_PROPERTIES) if "en" in request.languages else {}
    labels = own | dict(found)
    left_out: Counter[str] = Counter()
    counts |= {
        "labels missing": sum(name not in labels for name in needed),
        "property names of our own": sum(name in own and name not in found for name in needed),
        **_write_tables(folder, entities(), labels, left_out, request.with_description),
        **{f"values left out: {reason}": number for reason, number in sorted(left_out.items())},
    }
    write_json(folder / RECEIPT, dict(source) | _asked(request) | {"counts": counts})
    (folder / UNFINISHED).unlink()
    return counts


def _asked(request: KbRequest) -> dict[str, Any]:
    """What the receipt tells of a request: of the lists only their lengths."""
    asked = request.as_json()
    for name in ("names", "qids"):
        listed = asked["choice"][name]
        asked["choice"][name] = None if listed is None else len(listed)
    return asked


def most_linked(drafts: Iterable[Draft], number: int) -> set[str]:
    """The qids of the items with the most Wikipedia articles; of equals the smaller numbers."""
    best = heapq.nsmallest(
        number, ((-(draft.sitelinks or 0), qid_number(draft.qid)) for draft in drafts)
    )
    return {f"Q{qid}" for _, qid in best}


def _forget_previous(folder: Path) -> None:
    """Takes back that `folder` holds a knowledge base; a slice that was written with it would mislead."""
    receipt = folder / RECEIPT
    if receipt.is_file():
        if read_json(receipt).get("with_slice"):
            (folder / SLICE).unlink(missing_ok=True)
        receipt.unlink()


def _write_tables(
    folder: Path,
    drafts: Iterable[Draft],
    labels: Mapping[str, str],
    left_out: Counter[str],
    with_description: bool,
) -> dict[str, int]:
    counts = dict.fromkeys(("entities", "without image", "without attributes"), 0)
    with ExitStack() as stack:
        files = [stack.enter_context(atomic_write(folder / name)) for name in (ENTITIES, ITEMS)]
        entities, items = (stack.enter_context(file.open("w", encoding="utf-8")) for file in files)
        for draft in drafts:
            attributes = attributes_of(draft, labels, left_out)
            if with_description and draft.description is not None:
                attributes = f"{sentence(draft.description)} {attributes}".strip()
            counts["entities"] += 1
            counts["without image"] += draft.image is None
            counts["without attributes"] += not attributes
            entity = {"qid": draft.qid, "name": draft.name, "attributes": attributes, "images": []}
            rest = {key: getattr(draft, key) for key in ("description", "image", "sitelinks")}
            if draft.aliases:
                rest["aliases"] = list(draft.aliases)
            for table, row in ((entities, entity), (items, {"qid": draft.qid} | rest)):
                table.write(json.dumps(row, ensure_ascii=False) + "\n")
    return counts
