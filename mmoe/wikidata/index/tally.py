"""How many lines were kept and how many skipped, by reason: every line counts exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mmoe.errors import WikidataError

NOT_JSON, NOT_UTF8, NOT_AS_DOCUMENTED = "malformed JSON", "not UTF-8", "not of the documented form"
NO_NAME, DUPLICATE = "no name in the languages", "duplicate"
KEPT, OPENING, CLOSING = "kept", "[", "]"
BROKEN = (NOT_JSON, NOT_UTF8, NOT_AS_DOCUMENTED)

MAX_EXAMPLES = 5
ENOUGH_TO_JUDGE = 1000  # lines; before, a few broken ones may be chance


@dataclass
class Tally:
    """Counts of lines; brackets and empty lines aside, each holds an entity or is broken.

    Attributes:
        counts: lines by what became of them: KEPT or the reason why not; brackets by themselves.
        examples: the first few broken lines, and what is wrong with them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """Number of lines, brackets aside."""
        return self.counts.total() - self.counts[OPENING] - self.counts[CLOSING]

    @property
    def kept(self) -> int:
        """Number of lines whose item is kept."""
        return self.counts[KEPT]

    @property
    def skipped(self) -> dict[str, int]:
        """The others, by reason, in alphabetical order."""
        known = (KEPT, OPENING, CLOSING)
        return {why: n for why, n in sorted(self.counts.items()) if n and why not in known}

    def skip_broken(self, reason: str, what: str) -> None:
        """Counts a broken line; what is wrong with it is remembered of the first few."""
        self.counts[reason] += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(what)

    @property
    def broken(self) -> int:
        """Number of broken lines."""
        return sum(self.counts[reason] for reason in BROKEN)

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

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """The counts of consecutive lines."""
        whole = cls()
        for tally in tallies:
            whole.counts.update(tally.counts)
            whole.examples = (whole.examples + tally.examples)[:MAX_EXAMPLES]
        return whole

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Tally:
        """The inverse of `vars`, from JSON."""
        return cls(Counter(fields["counts"]), fields["examples"])
