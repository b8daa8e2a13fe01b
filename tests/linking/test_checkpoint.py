"""A checkpoint gives back the same matcher, or one clear error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from mmoe.errors import CheckpointError
from mmoe.linking.checkpoint import Checkpoint, load_checkpoint, load_matcher, save_checkpoint
from mmoe.model.matcher import Matcher
from mmoe.tensor_files import read_tensors, write_tensors

from tests.model.matchers import (
    TEXT_ONLY,
    WIDTHS,
    model_params,
    moe_params,
    random_matcher,
    random_side,
)

FEATURES = {"encoder": "clip", "fingerprint": "f" * 16, "max_text_length": 50}


def save(path: Path, matcher: Matcher, params: dict[str, Any] | None = None) -> None:
    """Writes a checkpoint with some features behind it."""
    save_checkpoint(path, Checkpoint(matcher, FEATURES, params or {}, {"torch": torch.__version__}))


def about(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself."""
    return read_tensors(path)[0]


def rewrite(path: Path, drop: str = "", **changes: Any) -> None:
    """The same checkpoint without one tensor and with another description."""
    stored, weights = read_tensors(path)
    weights.pop(drop, None)
    write_tensors(path, weights, {**stored, **changes})


@pytest.mark.parametrize("changes", [{}, {"units": ["vision"]}])
def test_it_scores_as_before(tmp_path: Path, changes: dict[str, Any]) -> None:
    matcher, path = random_matcher(**changes), tmp_path / "matcher.safetensors"
    save(path, matcher, {"train": {"seed": 43}})
    loaded = load_checkpoint(path, matcher.spec).matcher
    assert loaded.spec == matcher.spec
    assert not loaded.training
    mentions, entities = random_side([2, 3], [1, 0]), random_side([1, 4], [0, 2], seed=1)
    with torch.no_grad():
        before, after = matcher(mentions, entities), loaded(mentions, entities)
    for name, scores in before.items():
        assert torch.equal(after[name], scores)
    for name, value in matcher.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_the_configuration_lies_inside(tmp_path: Path) -> None:
    path = tmp_path / "matcher.safetensors"
    save(path, random_matcher(), {"train": {"learning_rate": 5e-4}})
    loaded = load_checkpoint(tmp_path)  # a run's folder is as good as its file
    assert loaded.params == {"train": {"learning_rate": 5e-4}}
    assert loaded.feature_config == FEATURES
    assert loaded.versions == {"torch": torch.__version__}


def test_the_same_matcher_is_the_same_file(tmp_path: Path) -> None:
    contents = set()
    for _ in range(8):
        save(tmp_path / "matcher", random_matcher(), {"train": {"seed": 43}})
        contents.add((tmp_path / "matcher").read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"model": model_params(embed_dim=6)}, r"model\.embed_dim = 5, now model\.embed_dim = 6"),
        ({"own": moe_params(top_k=1)}, r"moe\.top_k = 2, now moe\.top_k = 1"),
        ({"own": moe_params(num_experts=4)}, r"moe\.num_experts = 3"),
        ({"widths": TEXT_ONLY}, r"features\.image = 7, now features\.image = 0"),
        ({"widths": replace(WIDTHS, text=12)}, r"features\.text = 9, now features\.text = 12"),
    ],
)
def test_another_spec_names_the_key(tmp_path: Path, changes: dict[str, object], key: str) -> None:
    matcher, path = random_matcher(), tmp_path / "matcher.safetensors"
    save(path, matcher)
    with pytest.raises(CheckpointError, match=rf"matcher\.safetensors: trained with {key}"):
        load_checkpoint(path, replace(matcher.spec, **changes))  # type: ignore[arg-type]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors: no such file; run dvc repro"):
        load_matcher(tmp_path / "none.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 100, 2000, -1])
def test_a_truncated_file(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "matcher.safetensors"
    save(path, random_matcher())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"matcher\.safetensors: not a whole safetensors"):
        load_matcher(path)


def test_weights_that_do_not_fit_their_own_configuration(tmp_path: Path) -> None:
    path = tmp_path / "matcher.safetensors"
    save(path, random_matcher())
    rewrite(path, drop="text_stem.fine_norm.weight")
    with pytest.raises(CheckpointError, match=r"text_stem\.fine_norm\.weight"):
        load_matcher(path)
    save(path, random_matcher())
    spec = {"name": "mmoe", "widths": vars(WIDTHS), "own": moe_params().model_dump(mode="json")}
    rewrite(path, matcher={**spec, "model": model_params(embed_dim=6).model_dump(mode="json")})
    with pytest.raises(CheckpointError, match="size mismatch"):
        load_matcher(path)


def test_another_version_and_another_program_s_file(tmp_path: Path) -> None:
    path = tmp_path / "matcher.safetensors"
    save(path, random_matcher())
    rewrite(path, version=0)
    with pytest.raises(CheckpointError, match="checkpoint version 0, wanted 2"):
        load_matcher(path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"no checksum of itself: .*another program; run dvc"):
        load_matcher(path)
