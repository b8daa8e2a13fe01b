"""Reads ahead: the next item is made in a thread while the last one is used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetched(items: Iterator[T]) -> Iterator[T]:
    """The same items, in order, one ahead; at most two are held at a time.

    What makes them should wait for the disk rather than compute, or it takes processors from the user. Its
    exceptions are raised where the item would have come.
    """
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        ahead = thread.submit(next, items, end)
        while (item := ahead.result()) is not end:
            ahead = thread.submit(next, items, end)
            yield item  # type: ignore[misc]
