"""What published implementations compute on weights and inputs made by formula: `releases.json`."""

from __future__ import annotations

import json
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mmoe.model.features import SideFeatures
from mmoe.model.packed import Packed


def by_formula(salt: str, name: str, shape: list[int]) -> Tensor:
    """A weight or, by its name `input.…`, an input."""
    start = 1 + zlib.crc32(f"{salt}:{name}".encode()) % 10007
    index = torch.arange(math.prod(shape), dtype=torch.float64)
    wave = (start + 0.7390851 * index).sin().view(shape)
    if "layer_norm" in name or "layernorm" in name:
        wave = 1 + 0.1 * wave if name.endswith("weight") else 0.1 * wave
    elif not name.startswith("input."):
        wave = 1.5 * wave / math.sqrt(shape[1] if len(shape) == 2 else 10)
    return wave.float()


@dataclass(frozen=True)
class Release:
    """One published implementation.

    Attributes:
        state: its tensors by their names in a checkpoint.
        figures: the scores that it computed, by name.
    """

    salt: str
    sizes: dict[str, int]
    state: dict[str, Tensor]
    figures: dict[str, Any]

    def side(self, name: str) -> SideFeatures:
        """Its mentions or entities; all have an image and none is padded."""
        rows = self.sizes["mentions" if name == "mention" else "entities"]
        tokens, patches = self.sizes["text_tokens"], self.sizes["patches"]

        def given(part: str, *shape: int) -> Tensor:
            return by_formula(self.salt, f"input.{name}_{part}", [rows, *shape])

        pooled = given("text_cls", 512)
        return SideFeatures(
            Packed(given("text_tokens", tokens, 512).flatten(0, 1), torch.full((rows,), tokens)),
            pooled,
            pooled,
            Packed(
                given("image_patches", patches, 768).flatten(0, 1), torch.full((rows,), patches)
            ),
            given("image_embeds", 512),
            torch.ones(rows, dtype=torch.bool),
        )

    def assert_equal(self, found_BN: Tensor, wanted: Any) -> None:
        """To 1e-4 of the table's largest absolute value."""
        table = torch.tensor(wanted)
        assert found_BN.shape == table.shape
        assert float((found_BN - table).abs().max()) <= 1e-4 * float(table.abs().max())


def released(name: str) -> Release:
    """The release of that name; skips the test where the file is not at hand."""
    folder = os.environ.get("MMOE_REAL_DATA")
    if folder is None:
        pytest.skip("MMOE_REAL_DATA names no folder with releases.json")
    content = json.loads((Path(folder) / "releases.json").read_text())
    found = content["releases"][name]
    state = {n: by_formula(content["salt"], n, shape) for n, shape in found["state"].items()}
    figures = {key: value for key, value in found.items() if key != "state"}
    return Release(content["salt"], content["sizes"], state, figures)
