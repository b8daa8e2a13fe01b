"""Which items of Wikidata are looked at: in which languages, and which kinds are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import Item, is_qid

# Items that stand for pages of Wikipedia, not for things that a text mentions.
PAGES = {
    "Q4167410": "disambiguation page",
    "Q13406463": "list article",
    "Q4167836": "category",
    "Q11266439": "template",
}
NOT_KEPT_KIND = "not of the kinds kept"


@dataclass(frozen=True)
class Selection:
    """Which items are kept, by the kinds that their best-ranked statements of P31 name.

    Attributes:
        languages: of labels, descriptions and aliases, best first; `mul` stands in.
        drop_kinds: an item that is an instance of one of them is dropped.
        keep_kinds: if not empty, an item that is an instance of none of them is dropped.
    """

    languages: tuple[str, ...]
    drop_kinds: tuple[str, ...] = tuple(PAGES)
    keep_kinds: tuple[str, ...] = ()

    def reason_against(self, item: Item) -> str | None:
        """Why an item is dropped for its kind; None if it is kept."""
        for kind in item.instance_of:
            if kind in self.drop_kinds:
                return PAGES.get(kind, f"instance of {kind}")
        if self.keep_kinds and not any(kind in self.keep_kinds for kind in item.instance_of):
            return NOT_KEPT_KIND
        return None

    def as_json(self) -> dict[str, Any]:
        """The fields as lists."""
        return {name: list(value) for name, value in asdict(self).items()}


def checked_selection(
    languages: Sequence[str], drop_kinds: Sequence[str] | None, keep_kinds: Sequence[str]
) -> Selection:
    """The selection of a user.

    Args:
        drop_kinds: None for the pages of Wikipedia, without those that are to be kept.
    Raises:
        WikidataError: if no language is named, a kind is no qid, or a kind is to be kept and dropped.
    """
    if not languages:
        raise WikidataError("--languages: names none; name at least one, such as en")
    for option, kinds in (("--drop-kinds", drop_kinds or ()), ("--keep-kinds", keep_kinds)):
        for kind in kinds:
            if not is_qid(kind):
                raise WikidataError(f"{option}: {kind!r} is no item; name kinds such as Q5,Q515")
    both = sorted(set(drop_kinds or ()) & set(keep_kinds))
    if both:
        raise WikidataError(
            f"{both[0]} stands under --drop-kinds and --keep-kinds; leave it out of one"
        )
    if drop_kinds is None:
        drop_kinds = [kind for kind in PAGES if kind not in keep_kinds]
    kinds_each_once = (tuple(dict.fromkeys(kinds)) for kinds in (languages, drop_kinds, keep_kinds))
    return Selection(*kinds_each_once)
