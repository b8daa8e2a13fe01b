"""Where and how training and evaluation compute."""

from __future__ import annotations

import pytest
import torch

from mmoe.linking.device import resolve_device, resolve_precision

CPU = torch.device("cpu")


def test_a_device_by_name_and_by_itself() -> None:
    assert resolve_device("cpu") == CPU
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_precision_that_is_named_is_kept() -> None:
    for name in ("float32", "bfloat16"):
        assert resolve_precision(name, CPU) == name


@pytest.mark.parametrize(
    ("avx512", "amx", "found"),
    [(True, False, "bfloat16"), (False, True, "bfloat16"), (False, False, "float32")],
)
def test_auto_is_bfloat16_only_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, avx512: bool, amx: bool, found: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert resolve_precision("auto", CPU) == found
