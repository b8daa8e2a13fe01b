"""Features on disk: shards (the format), part (writes one, keeping what was encoded), store (reads it).

Knows no encoder, so that training and evaluation start without transformers.
"""
