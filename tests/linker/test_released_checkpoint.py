"""Published checkpoints become matchers that score as published; what is odd about one is named."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModel

from mmoe.cli import main
from mmoe.encoders.registry import load_encoder
from mmoe.errors import CheckpointError
from mmoe.linker.released_checkpoint import import_checkpoint
from mmoe.linking.checkpoint import load_checkpoint
from mmoe.model.matcher import OVERALL

from benchmarks import parity
from tests.encoders.tiny_models import save_clip

KINDS = ("mmoe", "m3el", "mimic")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    save_clip(tmp_path / "clip")
    return tmp_path / "clip"


def state_of(releases: dict[str, Any], kind: str) -> dict[str, Tensor]:
    shapes = releases["releases"][kind]["state"]
    return {n: parity.by_formula(releases["salt"], n, shape) for n, shape in shapes.items()}


def tuned(clip: Path) -> dict[str, Tensor]:
    """CLIP's weights as a checkpoint has them, moved a little, with a buffer of older versions."""
    weights = AutoModel.from_pretrained(clip).state_dict()
    state = {f"encoder.clip.{name}": tensor + 0.01 for name, tensor in weights.items()}
    return {**state, "encoder.clip.text_model.embeddings.position_ids": torch.arange(9)[None]}


def saved(file: Path, state: dict[str, Tensor], **more: Any) -> Path:
    torch.save({"state_dict": state, "epoch": 3, "pytorch-lightning_version": "2", **more}, file)
    return file


@pytest.mark.parametrize(
    ("kind", "directions"), [*((kind, "one_way") for kind in KINDS), ("m3el", "both_ways")]
)
def test_an_imported_matcher_scores_as_published(
    kind: str, directions: str, releases: dict[str, Any], clip: Path, tmp_path: Path
) -> None:
    state = state_of(releases, kind)
    file = saved(tmp_path / "best.ckpt", state | tuned(clip))
    params = import_checkpoint(kind, file, tmp_path / "out", clip, directions=directions)
    assert params["encode"]["keep_padding"] is True
    checkpoint = load_checkpoint(tmp_path / "out")
    sides = (parity.side(releases, side, state) for side in ("mention", "entity"))
    with torch.no_grad():
        found = checkpoint.matcher(*sides)
    figures = releases["releases"][kind]
    wanted = torch.tensor(figures.get(directions, figures)["overall"])
    assert float((found[OVERALL] - wanted).abs().max() / wanted.abs().max()) <= 1e-4
    encoder = load_encoder(str(tmp_path / "out" / "encoder"), "cpu")
    assert checkpoint.feature_config["fingerprint"] == encoder.fingerprint
    assert checkpoint.feature_config["encoder"] == encoder.name
    wanted_scale = AutoModel.from_pretrained(clip).logit_scale + 0.01
    torch.testing.assert_close(encoder.model.logit_scale, wanted_scale)


def test_a_checkpoint_without_clip_was_trained_on_that_encoder(
    releases: dict[str, Any], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bare.ckpt"
    torch.save(state_of(releases, "mimic"), file)
    import_checkpoint("mimic", file, tmp_path / "out", clip)
    config = load_checkpoint(tmp_path / "out").feature_config
    assert config["encoder"] == str(clip)
    assert not (tmp_path / "out" / "encoder").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"matcher.tglu.fc_key.bias": None}, "lacks matcher.tglu.fc_key.bias"),
        ({"matcher.text_cls_layernorm.weight": None}, "lacks matcher.text_cls_layernorm.weight"),
        ({"matcher.odd.weight": torch.ones(2)}, "has no place for matcher.odd.weight"),
        (
            {"matcher.tglu.fc_key.bias": torch.ones(95)},
            r"matcher.tglu.fc_key.bias is \[95\], wanted \[96\]",
        ),
        ({"encoder.clip.odd": torch.ones(2)}, r"Unexpected key.* \"odd\""),
        ({"encoder.clip.logit_scale": torch.ones(2)}, "size mismatch for logit_scale"),
        ({"matcher.tglu.fc_key.bias": "text"}, "fc_key.bias is a str, wanted a tensor"),
    ],
)
def test_what_is_odd_is_named(
    change: dict[str, Any], said: str, releases: dict[str, Any], clip: Path, tmp_path: Path
) -> None:
    state = {**state_of(releases, "mimic"), **tuned(clip), **change}
    file = saved(tmp_path / "x.ckpt", {n: t for n, t in state.items() if t is not None})
    with pytest.raises(CheckpointError, match=said) as error:
        import_checkpoint("mimic", file, tmp_path / "out", clip)
    assert str(error.value).startswith(str(file))
    assert not (tmp_path / "out" / "matcher.safetensors").exists()


def test_other_objects_are_refused_by_name(clip: Path, tmp_path: Path) -> None:
    file = saved(tmp_path / "x.ckpt", {}, hyper_parameters=argparse.Namespace(lr=1))
    with pytest.raises(CheckpointError, match=r"a Python object, argparse\.Namespace, which is"):
        import_checkpoint("mmoe", file, tmp_path / "out", clip)


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_a_broken_file_is_one_line(
    content: bytes | None, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.ckpt"
    if content is None:
        content = saved(file, {"a": torch.ones(999)}).read_bytes()[:900]
    file.write_bytes(content)
    arguments = ["import-checkpoint", "mimic", str(file), str(tmp_path / "out")]
    assert main([*arguments, "--encoder", str(clip)]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"error: {file}: ")
    assert line.count("\n") == 1


def test_the_command_says_what_params_must_say(
    releases: dict[str, Any], clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(tmp_path / "x.ckpt", state_of(releases, "m3el"))
    arguments = ["import-checkpoint", "m3el", str(file), str(tmp_path / "out")]
    assert main([*arguments, "--encoder", str(clip), "--directions", "both_ways"]) == 0
    out = capsys.readouterr().out
    for line in ("directions: both_ways", "variant: released", "keep_padding: true", "name: m3el"):
        assert line in out


def test_a_folder_of_pickled_weights_becomes_safetensors(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load_encoder(str(clip), "cpu").encode_texts([[2, 7, 3]]).pooled_BP
    weights = AutoModel.from_pretrained(clip).state_dict()
    names = sorted(weights)
    for number, part in enumerate((names[::2], names[1::2])):
        torch.save({n: weights[n] for n in part}, clip / f"pytorch_model-{number}.bin")
    assert main(["convert-encoder", str(clip)]) == 1
    assert "holds weights as safetensors already" in capsys.readouterr().err
    (clip / "model.safetensors").unlink()
    assert main(["convert-encoder", str(clip)]) == 0
    after = load_encoder(str(clip), "cpu").encode_texts([[2, 7, 3]]).pooled_BP
    assert torch.equal(before, after)
    assert main(["convert-encoder", str(tmp_path)]) == 1
