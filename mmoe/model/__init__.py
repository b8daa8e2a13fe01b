"""Matchers on cached features. Reading order: packed, router, experts, sides, units, matcher, losses."""
