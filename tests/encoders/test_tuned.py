"""Tuned encoders: what is trained of them, and the folders that bring them back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from mmoe.config.tune import TuneParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import base_encoder, load_encoder
from mmoe.encoders.tuned import ABOUT, ADAPTER, BASE, Tuning
from mmoe.errors import FeatureStoreError
from mmoe.files import write_sealed_json

METHODS = ("prompts", "lora", "full")
TEXTS = [[2, 9, 8, 3], [2, 7, 3]]


def tuning(folder: Path, method: str) -> Tuning:
    torch.manual_seed(0)
    params = TuneParams.model_validate({"method": method, "lora_rank": 2})
    return Tuning(load_encoder(str(folder), "cpu"), params)


def pooled(encoder: Encoder, side: bool = True) -> torch.Tensor:
    with torch.inference_mode():
        return encoder.for_side(side).encode_texts(TEXTS).pooled_BP


@pytest.mark.parametrize("method", METHODS)
def test_what_was_learned_comes_back(folders: dict[str, Path], tmp_path: Path, method: str) -> None:
    learned = tuning(folders["clip"], method)
    with torch.no_grad():
        for parameter in learned.trained.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    learned.save(tmp_path / "tuned")
    again = load_encoder(str(tmp_path / "tuned"), "cpu")
    for side in (True, False):
        torch.testing.assert_close(pooled(again, side), pooled(learned.encoder, side))
    plain = load_encoder(str(folders["clip"]), "cpu")
    assert not torch.allclose(pooled(again), pooled(plain))
    assert torch.equal(pooled(base_encoder(again)), pooled(plain))
    assert (again.name, again.tuned) == (plain.name, str(tmp_path / "tuned"))
    assert again.fingerprint != plain.fingerprint
    assert base_encoder(plain) is plain


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("kind", ["clip", "siglip", "paired", "bert"])
def test_at_its_start_tuning_changes_nothing(
    folders: dict[str, Path], method: str, kind: str
) -> None:
    plain = pooled(load_encoder(str(folders[kind]), "cpu"))
    learned = tuning(folders[kind], method)
    assert torch.equal(pooled(learned.encoder), plain)
    assert any(p.requires_grad for p in learned.trained.parameters())


def test_lora_and_prompts_train_a_small_part(folders: dict[str, Path]) -> None:
    counts = {
        method: sum(p.numel() for p in tuning(folders["clip"], method).trained.parameters())
        for method in METHODS
    }
    assert counts["lora"] < counts["full"] / 4
    assert counts["prompts"] < counts["full"] / 4


@pytest.mark.parametrize("method", ["prompts", "lora"])
def test_another_base_is_refused(folders: dict[str, Path], tmp_path: Path, method: str) -> None:
    base = shutil.copytree(folders["clip"], tmp_path / "clip")
    tuning(base, method).save(tmp_path / "tuned")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "other": 1}))
    with pytest.raises(FeatureStoreError, match=r"tuned on another encoder.*run stage tune again"):
        load_encoder(str(tmp_path / "tuned"), "cpu")
    shutil.copytree(folders["clip"], tmp_path / "tuned" / BASE)
    assert load_encoder(str(tmp_path / "tuned"), "cpu").name == str(base)


def test_a_missing_base_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    base = shutil.copytree(folders["clip"], tmp_path / "clip")
    tuning(base, "prompts").save(tmp_path / "tuned")
    shutil.rmtree(base)
    with pytest.raises(FeatureStoreError, match="clip: no such folder"):
        load_encoder(str(tmp_path / "tuned"), "cpu")


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        (ADAPTER, None, "adapter.safetensors: no such file; run stage tune again"),
        (ADAPTER, b"not tensors", "adapter.safetensors: .*run stage tune again"),
        (ABOUT, b'{"method": "lora"}', "tuned.json: .*its own checksum"),
    ],
)
def test_a_damaged_folder_is_one_line(
    folders: dict[str, Path], tmp_path: Path, file: str, content: bytes | None, line: str
) -> None:
    tuning(folders["clip"], "lora").save(tmp_path)
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(FeatureStoreError, match=line):
        load_encoder(str(tmp_path), "cpu")


@pytest.mark.parametrize(
    ("about", "line"),
    [
        ({"method": "lora"}, "tuned.json: .*run stage tune again"),
        (
            {"method": "lora", "base": "b", "base_fingerprint": "f", "settings": {}},
            "b: |tuned.json does not belong",
        ),
    ],
)
def test_what_another_tuning_says_is_one_line(
    folders: dict[str, Path], tmp_path: Path, about: dict[str, Any], line: str
) -> None:
    tuning(folders["clip"], "lora").save(tmp_path)
    write_sealed_json(tmp_path / ABOUT, about)
    with pytest.raises(FeatureStoreError, match=line):
        load_encoder(str(tmp_path), "cpu")


@pytest.mark.parametrize("method", ["prompts", "lora"])
def test_a_flipped_bit_of_what_was_learned_is_noticed(
    folders: dict[str, Path], tmp_path: Path, method: str
) -> None:
    tuning(folders["clip"], method).save(tmp_path)
    content = bytearray((tmp_path / ADAPTER).read_bytes())
    content[-5] ^= 4
    (tmp_path / ADAPTER).write_bytes(content)
    with pytest.raises(FeatureStoreError, match=r"its own checksum.*run stage tune again"):
        load_encoder(str(tmp_path), "cpu")


def test_prompts_need_an_encoder_that_sees(folders: dict[str, Path]) -> None:
    with pytest.raises(FeatureStoreError, match="sees no images"):
        tuning(folders["bert"], "prompts")
