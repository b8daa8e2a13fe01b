"""An encoder that can't be loaded is one clear error that names the knob; weights name themselves."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch

from mmoe.encoders.encoder import ClipEncoder, SiglipEncoder, TextOnlyEncoder, load_encoder
from mmoe.errors import FeatureStoreError

from tests.features.conftest import SAMPLE_CLIP


@pytest.fixture
def model(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the tiny CLIP, to be broken."""
    return Path(shutil.copytree(folders["clip"], tmp_path / "model"))


def refuse(name: str | Path, reason: str, device: str = "cpu") -> None:
    with pytest.raises(FeatureStoreError, match=reason) as error:
        load_encoder(str(name), device)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("clip", ClipEncoder), ("siglip", SiglipEncoder), ("bert", TextOnlyEncoder)],
)
def test_the_kind_is_read_from_the_folder(
    folders: dict[str, Path], kind: str, wanted: type[object]
) -> None:
    assert type(load_encoder(str(folders[kind]), "cpu")) is wanted


def test_a_model_that_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    refuse("nobody/nothing", r"encode\.model = nobody/nothing: can't be loaded")
    refuse("no/such/folder", r"encode\.model = no/such/folder: can't be loaded")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    refuse(tmp_path, rf"encode\.model = {tmp_path}: can't be loaded")


@pytest.mark.parametrize("kind", ["blip", "owlvit"])
def test_a_kind_that_sees_in_another_way(model: Path, kind: str) -> None:
    (model / "config.json").write_text(json.dumps({"model_type": kind}))
    refuse(model, rf"encode\.model = .*: model type {kind} is not supported")


def test_a_kind_that_is_unknown(model: Path) -> None:
    (model / "config.json").write_text(json.dumps({"model_type": "abacus"}))
    refuse(model, r"encode\.model = .*: can't be loaded: .*abacus")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_file_that_lacks(model: Path, name: str) -> None:
    (model / name).unlink()
    refuse(model, r"encode\.model = .*: can't be loaded")


@pytest.mark.parametrize("size", [0, 5, 4000])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_file_that_is_cut_off(model: Path, name: str, size: int) -> None:
    whole = (model / name).read_bytes()
    (model / name).write_bytes(whole[: min(size, len(whole) - 100)])
    refuse(model, r"encode\.model = .*: can't be loaded")


def test_weights_of_another_shape(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["text_config"]["hidden_size"] = 32
    (model / "config.json").write_text(json.dumps(config))
    refuse(model, r"encode\.model = .*: can't be loaded")


def test_a_clip_without_its_tokenizer_is_not_used_with_an_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(SAMPLE_CLIP, folder, ignore=shutil.ignore_patterns("tokenizer.json"))
    with pytest.raises(FeatureStoreError, match=r"encode\.model = .*: its tokenizer"):
        load_encoder(str(folder), "cpu").layout(50, 16)


@pytest.mark.parametrize("module", ["nosuchpackage", "nosuchpackage.inside", "json.nosuch", "this"])
def test_a_package_that_is_not_installed(module: str) -> None:
    refuse(
        f"package:{module}/model", rf"encode\.model = .*: the Python package {module} is not inst"
    )


def test_a_package_carries_a_model(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "carrier_of_a_model"
    shutil.copytree(model, package / "inner/model")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    encoder = load_encoder("package:carrier_of_a_model/inner/model", "cpu")
    assert encoder.name == "package:carrier_of_a_model/inner/model"
    assert encoder.fingerprint == load_encoder(str(model), "cpu").fingerprint
    assert "carrier_of_a_model" not in sys.modules


def test_a_device_that_is_not_there(model: Path) -> None:
    beyond = torch.cuda.device_count()
    refuse(model, rf"encode\.device = cuda:{beyond}: ", device=f"cuda:{beyond}")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_the_fingerprint_changes_with_every_file(model: Path, name: str) -> None:
    before = load_encoder(str(model), "cpu").fingerprint
    assert load_encoder(str(model), "cpu").fingerprint == before
    if name == "model.safetensors":
        from safetensors.torch import load_file, save_file

        weights = load_file(model / name)
        weights["text_projection.weight"] += 0.25
        save_file(weights, model / name, {"format": "pt"})
    else:
        (model / name).write_text((model / name).read_text() + "\n")
    assert load_encoder(str(model), "cpu").fingerprint != before
