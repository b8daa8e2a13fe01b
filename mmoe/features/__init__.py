"""Frozen encoder features on disk: shards, how a part of them is made, the store that reads them.

Knows no encoder, so that training and evaluation start without transformers.
"""
