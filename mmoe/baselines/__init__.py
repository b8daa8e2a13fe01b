"""Baselines that need no training; each returns the ranks of the gold entities."""
