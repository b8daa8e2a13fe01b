"""The encoder that stage tune leaves for the stages behind it."""

from __future__ import annotations

from typing import Any

from mmoe.errors import DataError
from mmoe.files import read_sealed_json

from pipeline.layout import Layout


def tune_note(at: Layout) -> dict[str, Any]:
    """What stage tune says of itself.

    Raises:
        DataError: if it has not run.
    """
    file = at.tuned / "tune.json"
    if not file.is_file():
        raise DataError(
            f"{file}: no such file; run stage tune first: python -m pipeline.tune {at.dataset}"
        )
    return read_sealed_json(file)


def tuned_encoder(at: Layout) -> str | None:
    """The folder of the tuned encoder; None where `encode.model` is used as it is. Errors as above."""
    return None if tune_note(at)["method"] == "none" else str(at.tuned / "encoder")
