"""Frozen encoders: from texts and images to features. Only this room imports transformers.

Reading order: layout (how a text is laid out), base (what an encoder offers), kinds, registry (which
one a name means), rows (texts and images in memory), encode (whole parts of a data set, on disk).
"""
