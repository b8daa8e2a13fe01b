"""Whether a model's choices lean to a place in the question, as models that prefer early candidates do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

FIRST = "first place"
THIRDS = ("first third", "middle third", "last third")
# Choices; with fewer the normal distribution is no good guide.
_FEWEST = 20


@dataclass(frozen=True)
class PositionBias:
    """Where the chosen candidates stood; all shares lie in [0, 1], those of the thirds add up to one.

    Attributes:
        choices: that named a candidate.
        chosen: share of them by place: the first place of all, and each third of the question.
        unbiased: the same shares, were every place of a question equally likely.
        p_value: that the mean place of an unbiased model strays as far or farther from the middle by chance;
            None if there are too few choices to say.
    """

    choices: int
    chosen: dict[str, float]
    unbiased: dict[str, float]
    p_value: float | None

    def in_words(self) -> str:
        """One line for the user."""
        if not self.choices:
            return "no candidate was chosen"
        parts = ", ".join(
            f"{name} {100 * self.chosen[name]:.1f} % ({100 * self.unbiased[name]:.1f})"
            for name in (FIRST, *THIRDS)
        )
        if self.p_value is None:
            sure = "too few to tell"
        else:
            sure = "p < 1e-12" if self.p_value < 1e-12 else f"p = {self.p_value:.2g}"
        return f"places of {self.choices:,} chosen candidates (unbiased): {parts}; {sure}"


def position_bias(choices: Iterable[tuple[int, int]]) -> PositionBias:
    """Compares choices with a model for which every place of a question is equally likely.

    That is so for any model that goes by what a candidate says, as long as the order is drawn by chance.

    Args:
        choices: of each question the place that was chosen, from 1, and the number of places, at least two;
            equal questions once.
    """
    # In a fixed order, so that sums come out the same to the last digit.
    found = sorted(choices)
    if not found:
        return PositionBias(0, {}, {}, None)
    chosen, unbiased = dict.fromkeys((FIRST, *THIRDS), 0.0), dict.fromkeys((FIRST, *THIRDS), 0.0)
    for place, places in found:
        assert 1 <= place <= places
        chosen[FIRST] += place == 1
        chosen[_third(place, places)] += 1
    for places, number in sorted(Counter(places for _, places in found).items()):
        unbiased[FIRST] += number / places
        for place in range(1, places + 1):
            unbiased[_third(place, places)] += number / places
    p_value = None
    if len(found) >= _FEWEST:
        # A place drawn among n has the mean (n + 1) / 2 and the variance (n² - 1) / 12.
        excess = sum(place - (places + 1) / 2 for place, places in found)
        deviation = math.sqrt(sum((places**2 - 1) / 12 for _, places in found))
        p_value = float(f"{math.erfc(abs(excess) / deviation / math.sqrt(2)):.4g}")
    chosen = {name: number / len(found) for name, number in chosen.items()}
    unbiased = {name: number / len(found) for name, number in unbiased.items()}
    return PositionBias(len(found), chosen, unbiased, p_value)


def _third(place: int, places: int) -> str:
    """The third in which the middle of a place lies; the first and the last mirror each other."""
    return THIRDS[3 * (2 * place - 1) // (2 * places)]
