"""Blocks extracted by several processes, results in the blocks' order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial

from mmoe.errors import WikidataError
from mmoe.wikidata.index.extract import Block, Extract, extract
from mmoe.wikidata.selection import Selection

InOrder = Callable[[Iterable[Block]], Iterator[Extract]]

AHEAD = 8  # blocks per process that are read before their results are taken


@contextmanager
def extracting(selection: Selection, processes: int) -> Iterator[InOrder]:
    """Yields a function that extracts blocks in turn.

    Args:
        processes: that extract; with one, it is this one.
    """
    if processes == 1:
        yield partial(map, partial(extract, selection=selection))
        return
    pool = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        yield partial(_in_order, pool, selection, processes * AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, selection: Selection, ahead: int, blocks: Iterable[Block]
) -> Iterator[Extract]:
    waiting: deque[Future[Extract]] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(extract, block, selection))
            # The blocks that wait take memory, so no more are read than keep all processes busy.
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise WikidataError(
            "a process that extracts was ended from outside, often for lack of memory; "
            "run the command again to go on, with fewer --processes"
        ) from None


def _start_worker() -> None:
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent can't end its workers, and they would wait for blocks for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
