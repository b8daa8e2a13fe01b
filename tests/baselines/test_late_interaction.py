"""Late interaction equals a loop over tokens; what has no tokens is neither for nor against an entity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.baselines import late_interaction
from mmoe.baselines.cosine import CosineTerms, Vectors
from mmoe.baselines.late_interaction import CentredTokens, LateInteraction, TokenShortlists
from mmoe.features.tokens import MemoryTokens


def tokens(lengths: list[int], seed: int) -> MemoryTokens:
    lengths_N = np.array(lengths, dtype=np.int64)
    values = np.random.default_rng(seed).normal(size=(lengths_N.sum(), 4)).astype(np.float16)
    return MemoryTokens(torch.from_numpy(values), lengths_N)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / length) if length > 1e-6 else 0.0


def by_pairs(mentions: MemoryTokens, entities: MemoryTokens) -> list[list[float]]:
    """Both directions' mean of the best cosine, of centred tokens."""
    centre = entities.values_TC.double().numpy().mean(axis=0) if len(entities.values_TC) else 0.0

    def rows(side: MemoryTokens) -> list[np.ndarray]:
        return [
            part.double().numpy() - centre
            for part in torch.split(side.values_TC, side.lengths_N.tolist())
        ]

    table = []
    for ours in rows(mentions):
        found: list[float | None] = []
        for theirs in rows(entities):
            if not len(ours) or not len(theirs):
                found.append(None)
                continue
            forth = np.mean([max(cosine(a, b) for b in theirs) for a in ours])
            back = np.mean([max(cosine(a, b) for a in ours) for b in theirs])
            found.append(float(forth + back))
        known = [value for value in found if value is not None]
        mean = float(np.mean(known)) if known else 0.0
        table.append([mean if value is None else value for value in found])
    return table


LENGTHS = st.lists(st.integers(0, 4), min_size=1, max_size=5)


@given(LENGTHS, LENGTHS, st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_it_equals_a_loop_over_tokens(ours: list[int], theirs: list[int], seed: int) -> None:
    mentions, entities = tokens(ours, seed), tokens(theirs, seed + 1)
    found = LateInteraction(mentions, CentredTokens(entities))
    every = np.arange(len(theirs))
    for row, wanted in enumerate(by_pairs(mentions, entities)):
        np.testing.assert_allclose(found.scores(row, every), wanted, atol=2e-3)


def test_a_shortlist_goes_before_all_others_and_these_keep_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late_interaction, "DEPTH", 3)
    interaction = LateInteraction(tokens([2], 0), CentredTokens(tokens([1, 2, 3, 2, 1, 2], 1)))
    angles = np.array([1.2, 0.1, 0.9, 0.2, 0.3, 1.0])  # of the entities to the mention
    entities = Vectors(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    terms = CosineTerms({"text": (Vectors(np.array([[1.0, 0.0]])), entities)})
    lists = TokenShortlists(terms, [interaction])
    best, similarities = lists.similarities(slice(0, 1))
    assert sorted(best[0]) == [1, 3, 4]
    late = interaction.scores(0, best[0])
    np.testing.assert_allclose(similarities[0].T, [np.cos(angles[best[0]]), late], atol=1e-6)
    for weights in ([0, 1], [3, -2]):
        scores = lists.score(slice(0, 1), np.array(weights))[0]
        order = best[0][np.argsort(-(similarities[0] @ weights))]
        assert np.argsort(-scores).tolist() == [*order, 2, 5, 0]
