"""Encoder and matcher trained together, on raw texts and images."""
