"""Memory that was freed but not given back."""

from __future__ import annotations

import ctypes
import sys


def return_freed_memory() -> None:
    """Gives the allocator's free pages back to the system, where the C library is glibc.

    Batches of ever different sizes leave holes between long-lived blocks: without this a training run on
    RichpediaMEL grew by 1.4 GB within 24 steps that held nothing.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # absent from musl
    if trim is not None:
        trim(0)
