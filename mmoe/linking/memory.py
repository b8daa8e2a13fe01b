"""Keeps the process as small as what it holds.

Batches of ever different sizes leave holes between long-lived blocks, which add up to a third of the memory.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

MMAP_THRESHOLD = -3  # glibc's name of the option, M_MMAP_THRESHOLD
LARGE_BLOCK = 4 << 20  # bytes; such blocks go back to the system when they are freed


def keep_memory_flat() -> None:
    """Call before the first tensor operation; changes no result. Without glibc it does less."""
    mallopt = _from_glibc("mallopt")
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGE_BLOCK)


def return_freed_memory() -> None:
    """Gives the allocator's free pages back to the system, where the C library is glibc.

    Pages that are wanted again at once cost time: not for every step or batch.
    """
    trim = _from_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _from_glibc(name: str) -> Any:
    """A function of the C library; None where it has none of that name (musl, macOS, Windows)."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
