"""Attacks that go on finding: kills, full disks, mutated inputs, a bad network; `python -m tests.campaign`."""
