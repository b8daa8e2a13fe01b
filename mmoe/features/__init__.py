"""Frozen encoder features: text layout, encoder, Parquet shards and the store that reads them.

Reading order: layout, encoder, shards, encode, store. Only `encoder` imports transformers, and nothing
imports `encoder` but `encode`, so that training and evaluation start without it.
"""
