"""Writes questions for a language model and reads its replies; sends nothing and knows no key."""
