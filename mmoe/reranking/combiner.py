"""The combiner: a linear score of a pair's features, fitted listwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.learned import fit_weights

RIDGE = 1e-4


@dataclass(frozen=True)
class Combiner:
    """A weighted sum of standardised features.

    A missing value counts as the mean of the others, and that it is missing has a weight of its own.

    Attributes:
        names: of the F features.
        mean_F, scale_F: of each one's values in the lists it was fitted on.
        weights_F: of the standardised values; `missing_F`, of missing ones.
    """

    names: tuple[str, ...]
    mean_F: NDArray[np.float64]
    scale_F: NDArray[np.float64]
    weights_F: NDArray[np.float64]
    missing_F: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        names: Sequence[str],
        lists_MDF: NDArray[np.floating],
        gold_M: NDArray[np.int64],
        ridge: float = RIDGE,
        *,
        improves_first: bool = False,
    ) -> Combiner:
        """Minimises the cross entropy of the gold entity among its list.

        Args:
            names: of the features.
            lists_MDF: the features of each mention's list; NaN where one is missing.
            gold_M: where the gold entity stands in its list; -1 leaves the mention out.
            ridge: weight of the squared weights.
            improves_first: whether the first feature is a score already, which the others are to improve: the
                ridge then draws to that score alone, so that few mentions can't take it apart.
        """
        has_M = gold_M >= 0
        lists_MDF, gold_M = lists_MDF[has_M].astype(np.float64), gold_M[has_M]
        missing_MDF = np.isnan(lists_MDF)
        counts_F = np.maximum((~missing_MDF).sum(axis=(0, 1)), 1)
        mean_F = np.nansum(lists_MDF, axis=(0, 1)) / counts_F
        centred = np.where(missing_MDF, 0, lists_MDF - mean_F)
        scale_F = np.sqrt((centred**2).sum(axis=(0, 1)) / counts_F)
        scale_F[scale_F < 1e-9] = 1  # a constant
        at = np.flatnonzero(missing_MDF.any(axis=(0, 1)))
        values = np.concatenate([centred / scale_F, missing_MDF[..., at]], axis=-1)
        prior_F = np.zeros(values.shape[-1])
        if improves_first:
            prior_F[0] = scale_F[0]
        found = fit_weights(values, gold_M, ridge=ridge, prior_F=prior_F)
        missing_F = np.zeros(len(mean_F))
        missing_F[at] = found[len(mean_F) :]
        return cls(tuple(names), mean_F, scale_F, found[: len(mean_F)], missing_F)

    def scores(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Of features [..., F], the last axis summed up."""
        missing = np.isnan(features)
        values = np.where(missing, 0, (features - self.mean_F) / self.scale_F)
        scores: NDArray[np.float64] = values @ self.weights_F + missing @ self.missing_F
        return scores

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Combiner:
        """What `to_json` gives, read back."""

        def column(key: str) -> NDArray[np.float64]:
            return np.array([row[key] for row in content.values()], dtype=np.float64)

        columns = (column("mean"), column("scale"), column("weight"), column("missing"))
        return cls(tuple(content), *columns)

    def to_json(self) -> dict[str, Any]:
        """By feature: its weight times 1 standard deviation, and what is needed to compute with it."""
        columns = (self.weights_F, self.mean_F, self.scale_F, self.missing_F)
        keys = ("weight", "mean", "scale", "missing")
        rows = zip(self.names, zip(*columns, strict=True), strict=True)
        return {name: dict(zip(keys, map(float, numbers), strict=True)) for name, numbers in rows}
