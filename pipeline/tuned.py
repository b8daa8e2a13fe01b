"""The encoder that stage tune leaves for the stages behind it."""

from __future__ import annotations

from mmoe.files import read_json

from pipeline.layout import Layout


def tuned_encoder(at: Layout) -> str | None:
    """The folder of the tuned encoder; None where `encode.model` is used as it is.

    Raises:
        DataError: if stage tune has not run.
    """
    note = read_json(at.tuned / "tune.json")
    return None if note["method"] == "none" else str(at.tuned / "encoder")
