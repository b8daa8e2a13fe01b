"""A matcher is built from its seed, and only of units that the store can feed; where and how it computes."""

from __future__ import annotations

import pytest
import torch

from mmoe.errors import ConfigError
from mmoe.linking.build import build_matcher
from mmoe.linking.device import resolve_device, resolve_precision

from tests.model.matchers import TEXT_ONLY, WIDTHS, model_params, moe_params

CPU = torch.device("cpu")


def test_the_seed_decides_the_weights() -> None:
    first, second, third = (
        build_matcher(WIDTHS, model_params(), moe_params(), seed, CPU) for seed in (1, 1, 2)
    )
    for name, value in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], value)
    weight = "text_stem.fit.weight"
    assert not torch.equal(third.state_dict()[weight], first.state_dict()[weight])


@pytest.mark.parametrize("units", [["vision"], ["text", "cross"], ["text", "vision", "cross"]])
def test_images_that_the_store_lacks_name_the_knob(units: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml: model\.units = .* need images"):
        build_matcher(TEXT_ONLY, model_params(units=units), moe_params(), 43, CPU)


def test_text_alone_needs_no_images() -> None:
    matcher = build_matcher(TEXT_ONLY, model_params(units=["text"]), moe_params(), 43, CPU)
    assert matcher.unit_names == ("text",)


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
