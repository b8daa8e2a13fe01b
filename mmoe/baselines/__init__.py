"""Cheap rivals of the matcher; each gives the ranks of the gold entities, and only one is fitted."""
