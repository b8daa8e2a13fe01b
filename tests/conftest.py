"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is imported, here and in what tests start: threads of several workers would spin against
    # each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Properties hold on a slow machine too: how long one takes is no part of it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
