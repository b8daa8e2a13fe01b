"""Baselines with learned weights: a linear score over frozen similarities, fitted listwise in seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from mmoe.baselines.cosine import CosineTerms

MOST_MENTIONS = 4000  # a handful of weights needs no more
DEPTH = 24  # wrong entities beside each gold one
CHUNK = 64  # mentions whose terms are held at a time
INITIAL_WEIGHT = 20.0
RIDGE = 1e-5  # keeps weights finite where the cosines tell all golds apart


def fit_weights(
    lists_MNF: NDArray[np.floating],
    gold_M: NDArray[np.int64] | None = None,
    start: float = INITIAL_WEIGHT,
    ridge: float = RIDGE,
    prior_F: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Weights [F] of a sum of features that tell each list's gold entity from the others.

    Minimises the cross entropy of the gold entity among its list.

    Args:
        gold_M: where it stands in its list; the first of each without it.
        start: of every weight.
        ridge: weight of the squared weights.
        prior_F: weights to start from, to which the ridge draws; None starts from `start` and draws to zero.
    """
    lists_MNF = lists_MNF.astype(np.float64)
    each = np.arange(len(lists_MNF))
    if gold_M is None:
        gold_M = np.zeros_like(each)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_shares = log_softmax(lists_MNF @ weights, axis=1)
        wanted = np.einsum("mn,mnf->mf", np.exp(log_shares), lists_MNF) - lists_MNF[each, gold_M]
        away = weights if prior_F is None else weights - prior_F
        value = -log_shares[each, gold_M].mean() + ridge * away @ away
        return float(value), wanted.mean(axis=0) + 2 * ridge * away

    first = np.full(lists_MNF.shape[2], start) if prior_F is None else prior_F
    found: NDArray[np.float64] = minimize(loss, first, jac=True, method="L-BFGS-B").x
    return found


def mined_lists(
    train: CosineTerms, gold: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each mention's gold entity, then the DEPTH others that the plain sum of cosines likes best.

    Args:
        gold: [M], position of each mention's gold entity.
    Returns:
        The entities [M, 1 + DEPTH], and their cosines [M, 1 + DEPTH, F].
    """
    entities, cosines = [], []
    for start in range(0, len(gold), CHUNK):
        rows = slice(start, start + CHUNK)
        terms_FBN = train.each(rows)
        gold_B1 = gold[rows, None]
        total_BN = terms_FBN.sum(axis=0)
        np.put_along_axis(total_BN, gold_B1, -np.inf, axis=1)
        depth = min(DEPTH, total_BN.shape[1] - 1)
        hard_BD = np.argpartition(-total_BN, max(depth - 1, 0), axis=1)[:, :depth]
        entities.append(np.concatenate([gold_B1, hard_BD], axis=1))
        chosen = np.take_along_axis(terms_FBN, entities[-1][None], axis=2)
        cosines.append(chosen.transpose(1, 2, 0))
    return np.concatenate(entities), np.concatenate(cosines)
