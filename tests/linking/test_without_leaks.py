"""What data.leak_policy: drop takes out of training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmoe.linking.data import without_leaks
from mmoe.records import Leak, Mention

NOTHING = Leak("m", "train", False, False, False, False, False, False)
MENTION = Mention("m", "s", "w", "c", None, "Q1", True, "train")


@pytest.mark.parametrize(
    ("mark", "is_dropped"),
    [
        ("same_context", True),
        ("same_image", True),
        ("similar_image", True),
        ("seen_gold", False),
        ("own_image", False),
        ("similar_own_image", False),
    ],
)
def test_rows_of_train_that_recur_are_dropped(mark: str, is_dropped: bool) -> None:
    leak = replace(NOTHING, **{mark: True})  # type: ignore[arg-type]
    assert without_leaks([MENTION], [leak]) == ([] if is_dropped else [MENTION])


def test_rows_of_valid_and_test_stay() -> None:
    mentions = [replace(MENTION, split=split) for split in ("valid", "test")]
    leaks = [replace(NOTHING, split=split, same_context=True) for split in ("valid", "test")]
    assert without_leaks(mentions, leaks) == mentions
