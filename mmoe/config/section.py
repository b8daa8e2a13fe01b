"""What every section of params.yaml has in common: frozen, strict, no unknown key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


def check_once(key: str, values: Sequence[object], what: str) -> None:
    """Raises ValueError if a list has one of its values twice."""
    if len(set(values)) != len(values):
        raise ValueError(f"{key} = {list(values)}: each {what} may stand only once")


class Section(BaseModel):
    """A section of params.yaml; `SECTION` is its key there. Fields have the defaults that it states.

    Strict: `5e-6` is a float, `"4"` is not an int, an int may stand for a float. Extra keys are errors.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, populate_by_name=True, serialize_by_alias=True
    )

    SECTION: ClassVar[str]

    @classmethod
    def knob_names(cls) -> tuple[str, ...]:
        """Its keys in params.yaml, in order: names of fields, but for those that Python keeps for itself."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @property
    def needs_padding(self) -> bool:
        """Of a matcher's section: whether it computes with padding, as published code does."""
        return False
