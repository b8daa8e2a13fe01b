"""What ranking mentions over a knowledge base gives: ranks of gold entities, and best entities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.evaluation.ranks import Ranks

Scores = dict[str, NDArray[np.float32]]  # one entry a unit, and `overall`


@dataclass(frozen=True)
class BestEntities:
    """The best entities of each mention.

    Attributes:
        top_Bn: int64, positions of the best entities, best first.
        scores_Bn: their exact scores.
        num_scored: pairs that got the fine part of the score.
    """

    top_Bn: NDArray[np.int64]
    scores_Bn: Scores
    num_scored: int

    @classmethod
    def none(cls, names: Iterable[str], shape: tuple[int, int]) -> BestEntities:
        """No entity: of no mention, or no column.

        Args:
            names: of the scores.
        """
        scores = {name: np.empty(shape, dtype=np.float32) for name in names}
        return cls(np.empty(shape, dtype=np.int64), scores, 0)

    @classmethod
    def joined(cls, parts: Sequence[BestEntities]) -> BestEntities:
        """One part after the other; there is at least one."""
        return cls(
            np.concatenate([part.top_Bn for part in parts]),
            _joined([part.scores_Bn for part in parts]),
            sum(part.num_scored for part in parts),
        )


@dataclass(frozen=True)
class MentionRanks:
    """Ranks of the gold entities and, if asked for, the best entities of each mention.

    Attributes:
        gold_scores_B: the gold entity's exact scores.
        best: without columns where none were asked for.
        num_scored: pairs that got the fine part of the score.
        among: ranks where only the mention's candidates can be an answer; None where none were given.
    """

    ranks: Ranks
    gold_scores_B: Scores
    best: BestEntities
    num_scored: int
    among: Ranks | None = None

    @classmethod
    def none(cls, names: Sequence[str], top_n: int, *, has_candidates: bool) -> MentionRanks:
        """Those of no mention.

        Args:
            names: of the scores.
        """
        nothing = Ranks.joined([])
        return cls(
            nothing,
            {name: np.empty(0, dtype=np.float32) for name in names},
            BestEntities.none(names, (0, top_n)),
            0,
            nothing if has_candidates else None,
        )

    @classmethod
    def joined(cls, parts: Sequence[MentionRanks]) -> MentionRanks:
        """One part after the other; there is at least one."""
        among = [part.among for part in parts if part.among is not None]
        return cls(
            Ranks.joined([part.ranks for part in parts]),
            _joined([part.gold_scores_B for part in parts]),
            BestEntities.joined([part.best for part in parts]),
            sum(part.num_scored for part in parts),
            Ranks.joined(among) if among else None,
        )

    def select(self, rows: NDArray[np.int64]) -> MentionRanks:
        """Those of the mentions at `rows`, out of as many pairs in all."""
        best = BestEntities(
            self.best.top_Bn[rows],
            {name: scores_Bn[rows] for name, scores_Bn in self.best.scores_Bn.items()},
            self.best.num_scored,
        )
        gold = {name: scores_B[rows] for name, scores_B in self.gold_scores_B.items()}
        among = None if self.among is None else self.among[rows]
        return MentionRanks(self.ranks[rows], gold, best, self.num_scored, among)


def _joined(parts: Sequence[Scores]) -> Scores:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
