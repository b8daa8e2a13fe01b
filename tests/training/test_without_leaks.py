"""What data.leak_policy: drop takes out of training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmoe.records import Leak, Mention
from mmoe.training.data import without_leaks

NOTHING = Leak("m", "train", False, False, False, False, False, False)
MENTION = Mention("m", "s", "w", "c", None, "Q1", True, "train")


@pytest.mark.parametrize(
    ("mark", "is_dropped"),
    [
        ("same_context", True),
        ("same_picture", True),
        ("similar_picture", True),
        ("seen_gold", False),
        ("own_picture", False),
        ("similar_own_picture", False),
    ],
)
def test_rows_of_train_that_recur_are_dropped(mark: str, is_dropped: bool) -> None:
    leak = replace(NOTHING, **{mark: True})  # type: ignore[arg-type]
    assert without_leaks([MENTION], [leak]) == ([] if is_dropped else [MENTION])


def test_rows_of_valid_and_test_stay() -> None:
    mentions = [replace(MENTION, split=split) for split in ("valid", "test")]
    leaks = [replace(NOTHING, split=split, same_context=True) for split in ("valid", "test")]
    assert without_leaks(mentions, leaks) == mentions
