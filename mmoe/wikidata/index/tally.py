"""How many lines were kept and how many skipped, by reason: every line counts exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mmoe.errors import WikidataError

NOT_JSON, NOT_UTF8, NOT_AS_DOCUMENTED = "malformed JSON", "not UTF-8", "not of the documented form"
NO_NAME, DUPLICATE = "no name in the languages", "duplicate"
BROKEN = (NOT_JSON, NOT_UTF8, NOT_AS_DOCUMENTED)

MAX_EXAMPLES = 5
ENOUGH_TO_JUDGE = 1000  # lines; before, a few broken ones may be chance


@dataclass
class Tally:
    """Counts of lines; brackets and empty lines aside, each holds an entity or is broken.

    Attributes:
        kept: lines whose item stands in the index.
        skipped: the others, by reason.
        examples: the first few broken lines, and what is wrong with them.
        opening: lines that are `[`, which begins a dump.
        closing: lines that are `]`, which ends it.
    """

    lines: int = 0
    kept: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    opening: int = 0
    closing: int = 0

    def skip(self, reason: str) -> None:
        """Counts a line that is not kept."""
        self.lines += 1
        self.skipped[reason] += 1

    def skip_broken(self, reason: str, what: str) -> None:
        """Counts a broken line; what is wrong with it is remembered of the first few."""
        self.skip(reason)
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(what)

    def keep(self) -> None:
        """Counts a line that is kept."""
        self.lines += 1
        self.kept += 1

    def add(self, other: Tally) -> None:
        """Adds the counts of the lines that follow."""
        self.lines += other.lines
        self.kept += other.kept
        self.skipped.update(other.skipped)
        self.examples = (self.examples + other.examples)[:MAX_EXAMPLES]
        self.opening += other.opening
        self.closing += other.closing

    def drop_duplicates(self, number: int) -> None:
        """Counts kept lines as skipped, as a line before them holds the same item."""
        if number:
            self.kept -= number
            self.skipped[DUPLICATE] += number

    @property
    def broken(self) -> int:
        """Number of broken lines."""
        return sum(self.skipped[reason] for reason in BROKEN)

    def check(self, where: str, enough: int = ENOUGH_TO_JUDGE) -> None:
        """Makes sure that this is a dump.

        Args:
            enough: number of lines from which on a judgement is passed.
        Raises:
            WikidataError: if more than half of the lines are broken.
        """
        if self.lines >= enough and 2 * self.broken > self.lines:
            raise WikidataError(
                f"{where}: {self.broken:,} of the first {self.lines:,} lines are no entities "
                f"({self.examples[0]}); name a Wikidata JSON dump, which has one entity a line"
            )

    def reasons(self) -> str:
        """The skipped lines in words."""
        return ", ".join(f"{number:,} {reason}" for reason, number in sorted(self.skipped.items()))

    def counts(self) -> dict[str, Any]:
        """What source.json says of the lines."""
        return {
            "lines": self.lines,
            "kept": self.kept,
            "skipped": dict(sorted(self.skipped.items())),
            "broken_lines": self.examples,
        }

    def as_json(self) -> dict[str, Any]:
        """The fields, reasons in alphabetical order."""
        return vars(self) | {"skipped": dict(sorted(self.skipped.items()))}

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """The counts of consecutive lines."""
        whole = cls()
        for tally in tallies:
            whole.add(tally)
        return whole

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Tally:
        """The inverse of as_json."""
        return cls(**fields | {"skipped": Counter(fields["skipped"])})
