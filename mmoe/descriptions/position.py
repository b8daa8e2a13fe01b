"""Whether a model's choices lean to a place in the question, as models that prefer early candidates do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

FIRST = "first place"
THIRDS = ("first third", "middle third", "last third")
_CELLS = 4  # the first place, what else is in the first third, and the two other thirds
# Choices expected in a cell; with fewer the chi-square distribution is no good guide.
_FEWEST = 5.0


@dataclass(frozen=True)
class PositionBias:
    """Where the chosen candidates stood; all shares lie in [0, 1], those of the thirds add up to one.

    Attributes:
        choices: that named a candidate.
        chosen: share of them by place: the first place of all, and each third of the question.
        unbiased: the same shares, were every place of a question equally likely.
        p_value: that an unbiased model strays from its shares as far or farther by chance; None if there are
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
        if self.p_value is None:
            sure = "too few to tell"
        else:
            sure = "p < 1e-12" if self.p_value < 1e-12 else f"p = {self.p_value:.2g}"
        return f"places of {self.choices:,} chosen candidates (unbiased): {parts}; {sure}"


def position_bias(choices: Iterable[tuple[int, int]]) -> PositionBias:
    """Compares choices with a model for which every place of a question is equally likely.

    That is so for any model that goes by what a candidate says, as long as the order is drawn by chance. The
    test is Pearson's chi-square over the first place, the rest of the first third, and the other thirds, with
    the exact covariance of choices among differing numbers of places; where all questions have equally many,
    it is the usual one.

    Args:
        choices: of each question the place that was chosen, from 1, and the number of places; equal
            questions once.
    """
    counts = Counter(choices)
    total = counts.total()
    if not total:
        return PositionBias(0, {}, {}, None)
    seen, sizes = np.zeros(_CELLS), Counter[int]()
    for (place, places), number in counts.items():
        assert 1 <= place <= places
        seen[_cell(place, places)] += number
        sizes[places] += number
    expected, covariance = np.zeros(_CELLS), np.zeros((_CELLS, _CELLS))
    # In a fixed order, so that sums come out the same to the last digit.
    for places, number in sorted(sizes.items()):
        cells = [_cell(place, places) for place in range(1, places + 1)]
        chances = np.bincount(cells, minlength=_CELLS) / places
        expected += number * chances
        covariance += number * (np.diag(chances) - np.outer(chances, chances))
    return PositionBias(
        choices=total,
        chosen=_shares(seen / total),
        unbiased=_shares(expected / total),
        p_value=_p_value(seen - expected, expected, covariance),
    )


def third_of(place: int, places: int) -> int:
    """The third, 0 to 2, in which the middle of a place lies; the first and the last mirror each other."""
    return 3 * (2 * place - 1) // (2 * places)


def _cell(place: int, places: int) -> int:
    return 0 if place == 1 else 1 + third_of(place, places)


def _p_value(excess: np.ndarray, expected: np.ndarray, covariance: np.ndarray) -> float | None:
    pooled = _pooled(expected)
    if len(pooled) < 2:
        return None
    # The excesses add up to zero, so that all but one of them say everything.
    pooled = pooled[:-1]
    excess, covariance = pooled @ excess, pooled @ covariance @ pooled.T
    statistic = float(excess @ np.linalg.solve(covariance, excess))
    return float(f"{chdtrc(len(excess), max(0.0, statistic)):.4g}")


def _pooled(expected: np.ndarray) -> np.ndarray:
    """Which cells are taken together, a row of zeros and ones each: neighbours until enough is expected."""
    rows, row = [], np.zeros(_CELLS)
    for cell in range(_CELLS):
        row[cell] = 1
        if row @ expected >= _FEWEST:
            rows.append(row)
            row = np.zeros(_CELLS)
    if rows:
        rows[-1] += row
    return np.array(rows)


def _shares(cells: np.ndarray) -> dict[str, float]:
    first, rest, *others = map(float, cells)
    return {FIRST: first} | dict(zip(THIRDS, (first + rest, *others), strict=True))
