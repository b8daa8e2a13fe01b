"""An encoder that can't be loaded is one clear error that names the parameter; none runs code of its own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from mmoe.encoders.base import pretrained
from mmoe.encoders.kinds import ClipEncoder, NaflexEncoder, SiglipEncoder, TextOnlyEncoder
from mmoe.encoders.registry import load_encoder, load_tokenizer
from mmoe.errors import FeatureStoreError

from tests.encoders.conftest import SAMPLE_CLIP

CANNOT = r"encode\.model = .*: can't be loaded"


@pytest.fixture
def model(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the tiny CLIP, to be broken."""
    return Path(shutil.copytree(folders["clip"], tmp_path / "model"))


def refuse(name: str | Path, reason: str, device: str = "cpu") -> None:
    with pytest.raises(FeatureStoreError, match=reason) as error:
        load_encoder(str(name), device)
    assert "\n" not in str(error.value)


def change_json(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("clip", ClipEncoder),
        ("paired", ClipEncoder),
        ("siglip", SiglipEncoder),
        ("naflex", NaflexEncoder),
        ("bert", TextOnlyEncoder),
        ("lasttoken", TextOnlyEncoder),
    ],
)
def test_the_kind_is_read_from_the_folder(
    folders: dict[str, Path], kind: str, wanted: type[object]
) -> None:
    assert type(load_encoder(str(folders[kind]), "cpu")) is wanted


def test_a_model_that_is_not_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    refuse("nobody/nothing", r"encode\.model = nobody/nothing: can't be loaded")


@pytest.mark.parametrize("name", ["data/raw/clpi", "data/clip", "./clip", "clips/small"])
def test_a_folder_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It is never asked for on the hub; a folder of nearly the same name is named."""
    for folder in ("data/raw/clip", "clips"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    near = "; did you mean data/raw/clip?" if name == "data/raw/clpi" else ""
    near = "; did you mean clips?" if name == "./clip" else near
    with pytest.raises(FeatureStoreError) as error:
        load_encoder(name, knob="rank.encoder")
    assert str(error.value) == f"rank.encoder = {name}: no such folder{near}"


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_models_own_code_is_never_run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """Neither silently nor after a question: a prompt would fail here, as there is no terminal."""
    canary = tmp_path / "canary"
    (model / "planted.py").write_text(
        f"open({str(canary)!r}, 'w')\nclass Model: pass\nclass Config: model_type = 'clip'\n"
    )
    planted = {"AutoConfig": "planted.Config", "AutoModel": "planted.Model"}
    planted["AutoTokenizer"] = "planted.Model"
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    for kind in ("clip", "unheard-of"):
        change_json(model / "config.json", model_type=kind)
        change_json(model / file, auto_map=planted)
        refuse(model, rf"encode\.model = .*: {file} asks for Python code .*auto_map.*never run")
        with pytest.raises(FeatureStoreError, match="auto_map"):
            load_tokenizer(str(model))
    assert not canary.exists()


def test_a_revision_can_be_pinned(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Auto:
        @staticmethod
        def from_pretrained(path: str, **options: object) -> None:
            asked.append((path, options.get("revision")))

    (odd := model.with_name("a@b")).mkdir()
    for path in ("org/model@1f2e3d", "org/model", str(odd)):
        pretrained(Auto, path)
    assert asked == [("org/model", "1f2e3d"), ("org/model", None), (str(odd), None)]


def test_weights_in_pickle_form_are_refused(model: Path, tmp_path: Path) -> None:
    weights = load_file(model / "model.safetensors")
    torch.save(weights, model / "pytorch_model.bin")
    assert load_encoder(str(model), "cpu").sees_images
    (model / "model.safetensors").unlink()
    refuse(model, r"encode\.model = .*: its weights are not in safetensors form; convert it")


def test_a_kind_that_sees_in_another_way_or_is_unknown(model: Path) -> None:
    for kind in ("blip", "t5", "vit"):
        (model / "config.json").write_text(json.dumps({"model_type": kind}))
        refuse(model, rf"encode\.model = .*: model type {kind} is not supported")
    change_json(model / "config.json", model_type="abacus")
    refuse(model, rf"{CANNOT}: .*abacus")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_file_that_is_missing(model: Path, name: str) -> None:
    (model / name).unlink()
    refuse(model, CANNOT)


@pytest.mark.parametrize("size", [0, 4000])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_file_that_is_cut_off(model: Path, name: str, size: int) -> None:
    whole = (model / name).read_bytes()
    (model / name).write_bytes(whole[: min(size, len(whole) - 100)])
    refuse(model, CANNOT)


def test_a_clip_without_its_tokenizer_is_not_used_with_an_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(SAMPLE_CLIP, folder, ignore=shutil.ignore_patterns("tokenizer.json"))
    with pytest.raises(FeatureStoreError, match=r"encode\.model = .*: its tokenizer"):
        load_encoder(str(folder), "cpu").layout(50, 16)


@pytest.mark.parametrize("module", ["nosuchpackage", "nosuchpackage.inside", "json.nosuch", "this"])
def test_a_package_that_is_not_installed(module: str) -> None:
    reason = rf"encode\.model = .*: the Python package {module} is not inst"
    refuse(f"package:{module}/model", reason)


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
    refuse(model, rf"runtime\.device = cuda:{beyond}: ", device=f"cuda:{beyond}")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_the_fingerprint_changes_with_every_file(model: Path, name: str) -> None:
    before = load_encoder(str(model), "cpu").fingerprint
    assert load_encoder(str(model), "cpu").fingerprint == before
    if name == "model.safetensors":
        weights = load_file(model / name)
        weights["text_projection.weight"] += 0.25
        save_file(weights, model / name, {"format": "pt"})
    else:
        (model / name).write_text((model / name).read_text() + "\n")
    assert load_encoder(str(model), "cpu").fingerprint != before


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        (
            "modules.json",
            [{"type": "x.Transformer", "path": "0_Transformer"}],
            "Transformer is not",
        ),
        (
            "modules.json",
            [{"type": f"x.{kind}", "path": ""} for kind in ("Transformer", "Pooling", "Dense")],
            "Transformer, Pooling, Dense is not supported",
        ),
        (
            "modules.json",
            [{"type": f"x.{kind}", "path": "0"} for kind in ("Transformer", "Pooling")],
            "its model lies in 0; move it up",
        ),
        ("1_Pooling/config.json", {"pooling_mode": "weightedmean"}, "pooling weightedmean is not"),
        ("1_Pooling/config.json", {"pooling_mode": ["cls", "max"]}, "pooling cls and max is not"),
        ("1_Pooling/config.json", {"include_prompt": False}, "without the prompt"),
    ],
)
def test_a_sentence_model_that_does_more_is_refused(
    folders: dict[str, Path], tmp_path: Path, file: str, content: object, reason: str
) -> None:
    copy = Path(shutil.copytree(folders["cls"], tmp_path / "copy"))
    (copy / file).write_text(json.dumps(content))
    refuse(copy, rf"encode\.model = .*: .*{reason}")


def test_a_damaged_tokenizer_is_one_line(tmp_path: Path) -> None:
    """The library that reads it raises bare exceptions."""
    copy = Path(shutil.copytree(SAMPLE_CLIP, tmp_path / "copy"))
    content = json.loads((copy / "tokenizer.json").read_text())
    del content["model"]["vocab"][content["model"]["merges"][0][0]]
    (copy / "tokenizer.json").write_text(json.dumps(content))
    refuse(copy, r"encode\.model = .*: can't be loaded: .*out of vocabulary")


@pytest.mark.parametrize("file", ["1_Pooling/config.json", "config_sentence_transformers.json"])
def test_pooling_and_prompts_are_part_of_the_fingerprint(
    folders: dict[str, Path], tmp_path: Path, file: str
) -> None:
    copy = Path(shutil.copytree(folders["cls"], tmp_path / "copy"))
    before = load_encoder(str(copy), "cpu").fingerprint
    (copy / file).write_text((copy / file).read_text() + "\n")
    assert load_encoder(str(copy), "cpu").fingerprint != before


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"prompts": {"query": "q", "passage": "p"}}, ("p", "q")),
        ({"prompts": {"a": "x"}, "default_prompt_name": "a"}, ("x", "x")),
        ({"prompts": {"query": "q", "a": "x"}, "default_prompt_name": "a"}, ("x", "q")),
        ({"prompts": {"a": "x"}, "default_prompt_name": None}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_mentions_ask_and_entities_are_asked_for(
    folders: dict[str, Path], tmp_path: Path, settings: object, wanted: tuple[str, str]
) -> None:
    copy = Path(shutil.copytree(folders["cls"], tmp_path / "copy"))
    (copy / "config_sentence_transformers.json").write_text(json.dumps(settings))
    assert load_encoder(str(copy), "cpu").prompts == wanted
