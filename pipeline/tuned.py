"""The encoder that stage tune leaves for the stages behind it."""

from __future__ import annotations

from mmoe.errors import DataError
from mmoe.files import read_sealed_json

from pipeline.layout import Layout


def tuned_encoder(at: Layout) -> str | None:
    """The folder of the tuned encoder; None where `encode.model` is used as it is.

    Raises:
        DataError: if stage tune has not run.
    """
    file = at.tuned / "tune.json"
    if not file.is_file():
        raise DataError(
            f"{file}: no such file; run stage tune first: python -m pipeline.tune {at.dataset}"
        )
    note = read_sealed_json(file)
    return None if note["method"] == "none" else str(at.tuned / "encoder")
