"""MIMIC's vision unit equals the published implementation's figures, and its own formula pair by pair."""

from __future__ import annotations

import json
import math
import os
import zlib
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmoe.model.dual_gate import DualGate


def by_formula(salt: str, name: str, shape: list[int]) -> Tensor:
    start = 1 + zlib.crc32(f"{salt}:{name}".encode()) % 10007
    index = torch.arange(math.prod(shape), dtype=torch.float64)
    wave = (start + 0.7390851 * index).sin().view(shape)
    if "layer_norm" in name or "layernorm" in name:
        wave = 1 + 0.1 * wave if name.endswith("weight") else 0.1 * wave
    elif not name.startswith("input."):
        wave = 1.5 * wave / math.sqrt(shape[1] if len(shape) == 2 else 10)
    return wave.float()


def test_it_reproduces_the_release() -> None:
    folder = os.environ.get("MMOE_REAL_DATA")
    if folder is None:
        pytest.skip("MMOE_REAL_DATA names no folder with releases.json")
    content = json.loads((Path(folder) / "releases.json").read_text())
    release, salt, sizes = content["releases"]["mimic"], content["salt"], content["sizes"]
    state = {n: by_formula(salt, n, s) for n, s in release["state"].items()}

    def side(name: str, rows: int) -> tuple[Tensor, Tensor]:
        inputs = {
            "cls": ("embeds", [rows, 512]),
            "tokens": ("patches", [rows, sizes["patches"], 768]),
        }
        found = []
        for part, (suffix, shape) in inputs.items():
            x = by_formula(salt, f"input.{name}_image_{suffix}", shape)
            fc, norm = f"encoder.image_{part}_fc.", f"matcher.image_{part}_layernorm."
            x = functional.linear(x, state[fc + "weight"], state[fc + "bias"])
            found.append(
                functional.layer_norm(x, [96], state[norm + "weight"], state[norm + "bias"])
            )
        return found[0], found[1].mean(dim=1)

    gates = []
    for direction in ("ent2men", "men2ent"):
        prefix = f"matcher.vdlu.dual_{direction}."
        gate = DualGate(96, 96)
        gate.load_state_dict(
            {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
        )
        gates.append(gate)
    (e_cls, e_mean), (m_cls, m_mean) = (
        side("entity", sizes["entities"]),
        side("mention", sizes["mentions"]),
    )
    with torch.no_grad():
        found = (gates[0](e_cls, m_cls, m_mean).T + gates[1](m_cls, e_cls, e_mean)) / 2
    wanted = torch.tensor(release["units"][1])
    assert float((found - wanted).abs().max() / wanted.abs().max()) < 1e-4
    assert sum(p.numel() for gate in gates for p in gate.parameters()) == 56_834
