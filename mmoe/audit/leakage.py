"""What valid and test mentions share with train: contexts, images, gold entities."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.records import SPLITS, Entity, ImageFile, Leak, Mention

PAIRS_AT_ONCE = 1 << 24


def find_leaks(
    mentions: Sequence[Mention],
    entities: Iterable[Entity],
    images: Iterable[ImageFile],
    distance: int,
) -> list[Leak]:
    """One row a mention, in order: what it shares with train; one of train, with valid and test together.

    Contexts count as the same whatever their case and white space. A mention without an image, or with
    one that can't be decoded, shares none.

    Args:
        images: all of the mentions' and entities' images.
        distance: bits of 64 in which the hashes of images that look alike may differ.
    """
    found = {image.image: image for image in images}
    of_gold = {entity.qid: [found[name] for name in entity.images] for entity in entities}
    own = [None if m.image is None else found[m.image] for m in mentions]
    in_train = [mention.split == "train" for mention in mentions]
    context = _recurs([_folded(mention.context) for mention in mentions], in_train)
    same = _recurs([None if image is None else image.sha256 for image in own], in_train)
    gold = _recurs([mention.gold_qid for mention in mentions], in_train)
    looks = [None if image is None else image.phash for image in own]
    similar = _looks_recur(looks, in_train, distance)
    rows = []
    for i, mention in enumerate(mentions):
        shown = of_gold.get(mention.gold_qid, []) if mention.gold_qid is not None else []
        rows.append(
            Leak(
                mention_id=mention.mention_id,
                split=mention.split,
                same_context=context[i],
                same_image=same[i],
                similar_image=similar[i],
                seen_gold=gold[i],
                own_image=any(_same_bytes(own[i], image) for image in shown),
                similar_own_image=any(_look_alike(own[i], p, distance) for p in shown),
            )
        )
    return rows


def leak_counts(leaks: Sequence[Leak]) -> dict[str, dict[str, int]]:
    """How many rows of each split carry each mark: `train`, `valid`, `test` to mark to number."""
    names = ("same_context", "same_image", "similar_image", "overlaps_train", "seen_gold")
    marks = (*names, "own_image", "similar_own_image")
    counts = {}
    for split in SPLITS:
        rows = [leak for leak in leaks if leak.split == split]
        of_marks = {name: sum(getattr(leak, name) for leak in rows) for name in marks}
        clean = sum(leak.is_clean for leak in rows)
        counts[split] = {"mentions": len(rows), **of_marks, "clean": clean}
    return counts


def _folded(text: str) -> str | None:
    """A context as it is compared; None for an empty one, which all others without text would share."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split()) or None


def _recurs(values: Sequence[Hashable | None], in_train: Sequence[bool]) -> list[bool]:
    """Whether each value recurs in train, or that of a train mention in valid or test; None never does."""
    sides: tuple[set[Hashable], set[Hashable]] = (set(), set())
    for value, train in zip(values, in_train, strict=True):
        sides[train].add(value)
    both = (sides[0] & sides[1]) - {None}
    return [value in both for value in values]


def _looks_recur(
    hashes: Sequence[str | None], in_train: Sequence[bool], distance: int
) -> list[bool]:
    """Whether each image has one that looks like it, in train for valid and test and the other way round."""
    sides = [
        sorted({h for h, train in zip(hashes, in_train, strict=True) if train == side and h})
        for side in (False, True)
    ]
    near = near_hashes(bits_of(sides[0]), bits_of(sides[1]), distance)
    alike = [
        {text for text, is_near in zip(side, flags, strict=True) if is_near}
        for side, flags in zip(sides, near, strict=True)
    ]
    return [text in alike[train] for text, train in zip(hashes, in_train, strict=True)]


def bits_of(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes of 16 hex digits as 64 bits each."""
    return np.array([int(text, 16) for text in hashes], dtype=np.uint64)


def near_hashes(
    left: NDArray[np.uint64], right: NDArray[np.uint64], distance: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which hashes of each side have one on the other side within `distance` bits."""
    near_left = np.zeros(len(left), dtype=np.bool_)
    near_right = np.zeros(len(right), dtype=np.bool_)
    step = max(1, PAIRS_AT_ONCE // max(1, len(right)))
    for start in range(0, len(left), step):
        chunk = slice(start, start + step)
        near = np.bitwise_count(left[chunk, None] ^ right[None, :]) <= distance
        near_left[chunk] = near.any(axis=1)
        near_right |= near.any(axis=0)
    return near_left, near_right


def _same_bytes(own: ImageFile | None, other: ImageFile) -> bool:
    return own is not None and own.sha256 is not None and own.sha256 == other.sha256


def _look_alike(own: ImageFile | None, other: ImageFile, distance: int) -> bool:
    if own is None or own.phash is None or other.phash is None:
        return False
    return (int(own.phash, 16) ^ int(other.phash, 16)).bit_count() <= distance
