"""Exact ranks over a whole knowledge base: entity index, bounds engine, brute-force oracle."""
