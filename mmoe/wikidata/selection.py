"""Which items of Wikidata are looked at: in which languages, and which kinds are left out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import Item

# Items that stand for pages of Wikipedia, not for things that a text mentions.
PAGES = {
    "Q4167410": "disambiguation page",
    "Q13406463": "list article",
    "Q4167836": "category",
    "Q11266439": "template",
}
NOT_KEPT_KIND = "not of the kinds kept"

# What an option's list is made of, by the last word of its name, and an example.
_FORMS = {
    "properties": (r"P[1-9][0-9]*", "P31"),
    "kinds": (r"Q[1-9][0-9]*", "Q5"),
    "languages": (r"[a-z]{2,}(-[a-z0-9]+)*", "en"),
}


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


def checked_selection(
    languages: tuple[str, ...], drop_kinds: tuple[str, ...] | None, keep_kinds: tuple[str, ...]
) -> Selection:
    """The selection of a user.

    Args:
        drop_kinds: None for the pages of Wikipedia, without those that are to be kept.
    Raises:
        WikidataError: if a kind is to be kept and dropped.
    """
    both = sorted(set(drop_kinds or ()) & set(keep_kinds))
    if both:
        raise WikidataError(
            f"{both[0]} stands under --drop-kinds and --keep-kinds; leave it out of one"
        )
    if drop_kinds is None:
        drop_kinds = tuple(kind for kind in PAGES if kind not in keep_kinds)
    return Selection(languages, drop_kinds, keep_kinds)


def checked_list(option: str, text: str) -> tuple[str, ...]:
    """What stands between the commas of an option, each once.

    Raises:
        WikidataError: if nothing does, or a part is not of the option's form.
    """
    form, example = _FORMS[option.rpartition("-")[2]]
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not parts:
        raise WikidataError(f"{option}: names none; name at least one, such as {example}")
    for part in parts:
        if not re.fullmatch(form, part):
            raise WikidataError(
                f"{option} {text}: {part!r} is not like {example}; write several with commas between"
            )
    return parts
