"""Probabilities from scores: how likely an entity is meant, and that none of the knowledge base is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
TAKEN_OUT = 0.2  # of the gold entities, to make nil mentions
SEED = 43
BINS = 10
FEW = 50  # nil mentions below which precision and recall say little


@dataclass(frozen=True)
class Calibration:
    """What turns the scores of a mention's list into probabilities.

    The entities of a list share what is left beside nil by a softmax of their scores over a temperature.
    Nil is a logistic regression on the best score, its lead, and the largest softmax.

    Attributes:
        temperature: by which scores are divided.
        weights_F, intercept: of the regression.
        threshold: of nil's probability, above which a mention counts as nil; the F1 of validation mentions is
            best there.
    Source: Guo et al., On calibration of modern neural networks (ICML 2017); Platt, 1999.
    """

    temperature: float
    weights_F: Floats
    intercept: float
    threshold: float

    @classmethod
    def fit(cls, lists: Answered) -> Calibration | None:
        """Fits both to validation mentions; None where all of them, or none, are nil.

        Args:
            lists: some of them with their gold entity taken out.
        """
        inside = lists.gold_M >= 0
        if inside.all() or not lists.is_nil_M.any() or not inside.any():
            return None

        def loss(log_temperature: float) -> float:
            logs_MD = log_softmax(lists.scores_MD[inside] / np.exp(log_temperature), axis=1)
            right_M = logs_MD[np.arange(len(logs_MD)), lists.gold_M[inside]]
            # A prior around 1, as scores are log odds: a few mentions that are all ranked right would give 0.
            return -float(right_M.sum()) + log_temperature**2 / 2

        temperature = float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x))
        features_MF = _features(lists.scores_MD, temperature)
        fitted = LogisticRegression().fit(features_MF, lists.is_nil_M)
        found = cls(temperature, fitted.coef_[0], float(fitted.intercept_[0]), 0.5)
        threshold = _best_threshold(found.nil(lists.scores_MD), lists.is_nil_M)
        return replace(found, threshold=threshold)

    def nil(self, scores_MD: Floats) -> Floats:
        """Probability [M] that no entity of the knowledge base is meant.

        Args:
            scores_MD: of each mention's list; -inf for an entity that is not in the knowledge base.
        """
        found: Floats = expit(
            _features(scores_MD, self.temperature) @ self.weights_F + self.intercept
        )
        return found

    def probabilities(self, scores_MD: Floats) -> Floats:
        """Probability [M, D] that each entity of the list is meant."""
        shares_MD: Floats = np.exp(log_softmax(scores_MD / self.temperature, axis=1))
        return shares_MD * (1 - self.nil(scores_MD))[:, None]

    def to_json(self) -> dict[str, Any]:
        """All that `from_json` needs."""
        weights = [float(weight) for weight in self.weights_F]
        return vars(self) | {"weights_F": weights}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibration:
        """What `to_json` gave, read back."""
        return cls(**content | {"weights_F": np.array(content["weights_F"])})


@dataclass(frozen=True)
class Answered:
    """Lists of entities with their scores, and what is right.

    Attributes:
        scores_MD: -inf for an entity that is not in the knowledge base.
        gold_M: where the gold entity stands in its list; -1 where it does not.
        is_nil_M: bool, whether it is not in the knowledge base at all.
    """

    scores_MD: Floats
    gold_M: NDArray[np.int64]
    is_nil_M: NDArray[np.bool_]

    @classmethod
    def nil(cls, scores_MD: Floats) -> Answered:
        """Lists of mentions that no entity of the knowledge base is the answer to."""
        num = len(scores_MD)
        return cls(scores_MD, np.full(num, -1, dtype=np.int64), np.ones(num, dtype=np.bool_))

    def and_those(self, others: Answered) -> Answered:
        """Both together; their lists are of one length."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Answered(*(np.concatenate(pair) for pair in pairs))

    def without(
        self, entities_MD: NDArray[np.int64], gold_M: NDArray[np.int64], out: Sequence[int]
    ) -> Answered:
        """The same where some entities are not in the knowledge base.

        The lists get shorter: what would come up in place of an entity is not looked for.

        Args:
            entities_MD: positions of the entities; `gold_M`, of the gold ones; `out`, of those taken out.
        """
        gone_MD, is_nil_M = np.isin(entities_MD, list(out)), np.isin(gold_M, list(out))
        left_M = ~gone_MD.all(axis=1)  # of a tiny knowledge base nothing may be left
        return Answered(
            np.where(gone_MD, -np.inf, self.scores_MD)[left_M],
            np.where(is_nil_M, -1, self.gold_M)[left_M],
            (self.is_nil_M | is_nil_M)[left_M],
        )


def taken_out(valid: NDArray[np.int64], test: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """A fifth of the gold entities of validation mentions, and of test mentions; the two share none.

    Args:
        valid, test: positions of the mentions' gold entities.
    """
    draw = np.random.default_rng(SEED)
    ours = np.unique(valid)
    first = draw.permutation(ours)[: round(TAKEN_OUT * len(ours))]
    theirs = np.unique(test)
    rest = np.setdiff1d(theirs, first)
    second = draw.permutation(rest)[: min(len(rest), round(TAKEN_OUT * len(theirs)))]
    return first.tolist(), second.tolist()


def measured(calibration: Calibration, lists: Answered) -> dict[str, Any]:
    """How good the probabilities of some mentions are.

    Returns:
        `bins`: mean probability of the best entity, share of right ones and count, in equal steps of the
        probability; `ece`, the expected calibration error, in percent; and of nil precision, recall and F1 in
        percent, with counts.
    """
    best_M = calibration.probabilities(lists.scores_MD).max(axis=1)
    right_M = lists.scores_MD.argmax(axis=1) == lists.gold_M
    bin_M = np.minimum((best_M * BINS).astype(int), BINS - 1)
    bins = []
    for number in np.unique(bin_M):
        own = bin_M == number
        probability, share = float(best_M[own].mean()), float(right_M[own].mean())
        bins.append({"probability": probability, "right": share, "mentions": int(own.sum())})
    gaps = [abs(each["probability"] - each["right"]) * each["mentions"] for each in bins]
    said_M = calibration.nil(lists.scores_MD) > calibration.threshold
    hits, said, nil = (int(x.sum()) for x in (said_M & lists.is_nil_M, said_M, lists.is_nil_M))
    return {
        "bins": bins,
        "ece": 100 * sum(gaps) / max(1, len(best_M)),
        "mentions": len(best_M),
        "nil": {
            "precision": 100 * hits / max(1, said),
            "recall": 100 * hits / max(1, nil),
            "f1": 200 * hits / max(1, said + nil),
            "mentions": nil,
            "few": nil < FEW,
        },
    }


def _features(scores_MD: Floats, temperature: float) -> Floats:
    """Best score, lead over the second, and the log of the largest softmax, [M, 3]."""
    best_M2 = -np.partition(-scores_MD, 1, axis=1)[:, :2] if scores_MD.shape[1] > 1 else scores_MD
    lead_M = best_M2[:, 0] - best_M2[:, -1]
    largest_M = log_softmax(scores_MD / temperature, axis=1).max(axis=1)
    lead_M = np.where(np.isfinite(lead_M), lead_M, 0)
    return np.stack([best_M2[:, 0], lead_M, largest_M], axis=1) / max(temperature, 1e-9)


def _best_threshold(nil_M: Floats, is_nil_M: NDArray[np.bool_]) -> float:
    """Between two probabilities, where the F1 of nil is largest; of equal ones the highest."""
    order = np.argsort(-nil_M, kind="stable")
    hits = np.cumsum(is_nil_M[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + is_nil_M.sum())
    at = int(np.argmax(f1))
    after = nil_M[order[at + 1]] if at + 1 < len(order) else 0.0
    return float((nil_M[order[at]] + after) / 2)
