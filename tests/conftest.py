"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Properties hold on a slow machine too: how long one takes is no part of it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
