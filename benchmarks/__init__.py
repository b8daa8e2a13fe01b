"""Speed and memory as figures: ours against the plain way, in one run. Never part of the tests."""
