"""Whether a model's choices lean to a place in the question, as models that prefer early candidates do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

FIRST = "first place"
THIRDS = ("first third", "middle third", "last third")
_FEWEST = (
    5.0  # choices expected in a third; with fewer the chi-square distribution is no good guide
)


@dataclass(frozen=True)
class Places:
    """Where the chosen candidates stood; all shares lie in [0, 1], those of the thirds add up to one.

    Attributes:
        choices: that named a candidate.
        chosen: share of them by place: the first place of all, and each third of the question.
        unbiased: the same shares, were every place of a question equally likely.
        p_value: of the thirds, that an unbiased model strays as far or farther by chance; None if there are
            too few choices to say.
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
        sure = "too few to tell" if self.p_value is None else f"p {self.p_value:.2g}"
        return f"places of {self.choices:,} chosen candidates (unbiased): {parts}; {sure}"


def places_of(choices: Iterable[tuple[int, int]]) -> Places:
    """Compares choices with a model for which every place of a question is equally likely.

    That is so for any model that goes by what a candidate says, as long as the order is drawn by chance. The
    test is Pearson's chi-square over the thirds with the exact covariance of choices among differing numbers
    of places; where all questions have equally many, it is the usual one.

    Args:
        choices: of each question the place that was chosen, from 1, and the number of places; equal
            questions once.
    """
    counts = Counter(choices)
    total = counts.total()
    if not total:
        return Places(0, {}, {}, None)
    seen, sizes = np.zeros(3), Counter[int]()
    for (place, places), number in counts.items():
        assert 1 <= place <= places
        seen[third_of(place, places)] += number
        sizes[places] += number
    expected, covariance = np.zeros(3), np.zeros((3, 3))
    # In a fixed order, so that sums come out the same to the last digit.
    for places, number in sorted(sizes.items()):
        chances = _chances(places)
        expected += number * chances
        covariance += number * (np.diag(chances) - np.outer(chances, chances))
    first = sum(number for (place, _), number in counts.items() if place == 1)
    first_expected = sum(number / places for places, number in sorted(sizes.items()))
    return Places(
        choices=total,
        chosen=_named(first / total, seen / total),
        unbiased=_named(first_expected / total, expected / total),
        p_value=_p_value(seen - expected, expected, covariance),
    )


def third_of(place: int, places: int) -> int:
    """The third, 0 to 2, in which the middle of a place lies; the first and the last mirror each other."""
    return 3 * (2 * place - 1) // (2 * places)


def _chances(places: int) -> np.ndarray:
    thirds = [third_of(place, places) for place in range(1, places + 1)]
    return np.bincount(thirds, minlength=3) / places


def _p_value(excess: np.ndarray, expected: np.ndarray, covariance: np.ndarray) -> float | None:
    if expected[0] < _FEWEST:
        return None
    # The excesses add up to zero, so that two of them say everything. Where hardly any question has a middle,
    # as with two candidates, only the first third is held against the last.
    has_middle = expected[1] >= _FEWEST
    held = np.array([[1, 0, 0], [0, 0, 1]] if has_middle else [[1, 0, -1]], dtype=float)
    excess, covariance = held @ excess, held @ covariance @ held.T
    statistic = excess @ np.linalg.solve(covariance, excess)
    return float(f"{chdtrc(len(excess), max(0.0, float(statistic))):.4g}")


def _named(first: float, thirds: np.ndarray) -> dict[str, float]:
    return {FIRST: float(first)} | dict(zip(THIRDS, map(float, thirds), strict=True))
