"""Frozen encoders: from texts and images to features. Only this room imports transformers.

Reading order: layout (how a text is laid out), base (what an encoder offers), kinds, sentence (what the
folder of a sentence-transformers model says), registry (which kind a name means), rows (texts and images in
memory), encode (whole parts of a data set, on disk).
"""
