"""Frozen encoder features on disk: Parquet shards, how a part of them is made, the store that reads them."""

Knows no encoder, so that training and evaluation start without transformers.
"""
