"""Items come in order, one ahead, and an error where its item would have come."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from mmoe.linking.prefetch import prefetched


@pytest.mark.parametrize("number", [0, 1, 2, 9])
def test_items_come_in_order(number: int) -> None:
    assert list(prefetched(iter(range(number)))) == list(range(number))


def test_the_next_is_made_while_one_is_used_and_no_more() -> None:
    made = threading.Semaphore(0)

    def items() -> Iterator[int]:
        for i in range(5):
            made.release()
            yield i

    ahead = prefetched(items())
    assert next(ahead) == 0
    assert made.acquire(timeout=10)
    assert made.acquire(timeout=10)  # of the second, which nobody asked for yet
    assert not made.acquire(timeout=0.05)
    assert list(ahead) == [1, 2, 3, 4]


def test_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    ahead = prefetched(items())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(ahead)


def test_none_and_false_are_items() -> None:
    assert list(prefetched(iter([None, False, 0]))) == [None, False, 0]
