"""Attacks that go on finding: `python -m tests.campaign`."""
