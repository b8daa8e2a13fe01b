"""Leaks found by sets and by bit counts are those that comparing every pair finds."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.audit.leakage import find_leaks, leak_counts, near_hashes
from mmoe.records import SPLITS, Entity, ImageFile, Leak, Mention

HASHES = ("0" * 16, "0" * 15 + "f", "0" * 14 + "ff", "f" * 16)
IMAGES = [
    ImageFile("a.png", "A", HASHES[0], 8, 8, None),
    ImageFile("a-again.png", "A", HASHES[0], 8, 8, None),
    ImageFile("like-a.png", "B", HASHES[1], 8, 8, None),
    ImageFile("other.png", "C", HASHES[3], 8, 8, None),
    ImageFile("grey.png", "D", None, 8, 8, None),
    ImageFile("broken.png", "E", None, None, None, "truncated"),
    ImageFile("unread.png", None, None, None, None, "permission denied"),
]
NAMES = [image.image for image in IMAGES]
CONTEXTS = ("Java is an island.", "JAVA  is an\nisland.", "Cafe\u0301", "Caf\u00e9", "", " ", "x")


def mention(
    name: str,
    split: str,
    context: str = "",
    image: str | None = None,
    gold: str | None = "Q1",
) -> Mention:
    in_kb = gold in {"Q1", "Q2"}
    return Mention(name, name, "w", context, image, gold, in_kb, split)


def entities(*images: str) -> list[Entity]:
    return [Entity("Q1", "one", "", images), Entity("Q2", "two", "", ())]


def pairwise(mentions: list[Mention], kb: list[Entity], distance: int) -> list[Leak]:
    """Every mention against every other one."""
    images = {image.image: image for image in IMAGES}

    def folded(text: str) -> str:
        return " ".join(unicodedata.normalize("NFC", text).casefold().split())

    def far(one: ImageFile, other: ImageFile) -> int:
        if one.phash is None or other.phash is None:
            return 65
        return bin(int(one.phash, 16) ^ int(other.phash, 16)).count("1")

    rows = []
    for m in mentions:
        across = [o for o in mentions if (o.split == "train") != (m.split == "train")]
        own = images[m.image] if m.image else None
        theirs = [images[o.image] for o in across if o.image]
        gold = [images[n] for e in kb if e.qid == m.gold_qid for n in e.images]
        rows.append(
            Leak(
                m.mention_id,
                m.split,
                any(folded(o.context) == folded(m.context) != "" for o in across),
                own is not None and any(own.sha256 == p.sha256 is not None for p in theirs),
                own is not None and any(far(own, p) <= distance for p in theirs),
                any(o.gold_qid == m.gold_qid is not None for o in across),
                own is not None and any(own.sha256 == p.sha256 is not None for p in gold),
                own is not None and any(far(own, p) <= distance for p in gold),
            )
        )
    return rows


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(SPLITS),
            st.sampled_from(CONTEXTS),
            st.none() | st.sampled_from(NAMES),
            st.sampled_from(["Q1", "Q2", "Q404", None]),
        ),
        max_size=12,
    ),
    of_gold=st.lists(st.sampled_from(NAMES), max_size=3),
    distance=st.sampled_from([0, 3, 4, 8]),
)
def test_every_pair_says_the_same(
    rows: list[tuple[str, str, str | None, str | None]], of_gold: list[str], distance: int
) -> None:
    mentions = [mention(f"m{i}", *row) for i, row in enumerate(rows)]
    kb = entities(*of_gold)
    assert find_leaks(mentions, kb, IMAGES, distance) == pairwise(mentions, kb, distance)


@given(
    left=st.lists(st.integers(0, 2**64 - 1), max_size=9),
    right=st.lists(st.integers(0, 2**64 - 1), max_size=9),
    distance=st.integers(0, 40),
)
def test_near_hashes_counts_bits(left: list[int], right: list[int], distance: int) -> None:
    arrays = [np.array(side, dtype=np.uint64) for side in (left, right)]
    near_left, near_right = near_hashes(arrays[0], arrays[1], distance)
    close = {(a, b) for a in left for b in right if (a ^ b).bit_count() <= distance}
    assert near_left.tolist() == [any((a, b) in close for b in right) for a in left]
    assert near_right.tolist() == [any((a, b) in close for a in left) for b in right]


def test_near_hashes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.random.default_rng(0).integers(0, 2**16, size=(2, 50), dtype=np.uint64)
    whole = near_hashes(numbers[0], numbers[1], 2)
    monkeypatch.setattr("mmoe.audit.leakage.PAIRS_AT_ONCE", 7)
    pieces = near_hashes(numbers[0], numbers[1], 2)
    assert [side.tolist() for side in whole] == [side.tolist() for side in pieces]
    assert whole[0].any()
    assert not whole[0].all()


def test_counts_and_what_is_clean() -> None:
    rows = [
        mention("t1", "train", "same", "a.png"),
        mention("t2", "train", "own", "other.png", "Q2"),
        mention("v1", "valid", "Same", None, "Q404"),
        mention("e1", "test", "fresh", "like-a.png"),
        mention("e2", "test", "else", "grey.png", None),
    ]
    leaks = find_leaks(rows, entities("like-a.png"), IMAGES, 4)
    counts = leak_counts(leaks)
    assert counts["test"] == {
        "mentions": 2,
        "same_context": 0,
        "same_image": 0,
        "similar_image": 1,
        "overlaps_train": 1,
        "seen_gold": 1,
        "own_image": 1,
        "similar_own_image": 1,
        "clean": 1,
    }
    assert (counts["valid"]["same_context"], counts["valid"]["clean"]) == (1, 0)
    assert counts["train"]["overlaps_train"] == 1
    own_only = replace(leaks[4], own_image=True)
    assert (own_only.overlaps_train, own_only.is_clean) == (False, False)
