"""The trained matcher in one safetensors file, with all that is needed to use it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mmoe.config.model import ModelParams
from mmoe.errors import CheckpointError, ConfigError, one_line
from mmoe.model.features import FeatureWidths
from mmoe.model.matcher import Matcher, MatcherSpec
from mmoe.model.registry import build_matcher, matcher_class
from mmoe.tensor_files import read_tensors, write_tensors

CHECKPOINT_VERSION = 2


@dataclass(frozen=True)
class Checkpoint:
    """A matcher and what its file says of it.

    Attributes:
        feature_config: what made the features that it was trained on: the encoder's name and
            fingerprint, the text layout, the precision.
        params: the resolved parameters of the run, section by section, for people.
        versions: of the packages that trained it.
    """

    matcher: Matcher
    feature_config: dict[str, Any]
    params: dict[str, Any]
    versions: dict[str, str]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Writes weights and configuration."""
    spec = checkpoint.matcher.spec
    about = {
        "version": CHECKPOINT_VERSION,
        "matcher": {
            "name": spec.model.name,
            "widths": vars(spec.widths),
            "model": spec.model.model_dump(mode="json"),
            "own": spec.own.model_dump(mode="json"),
        },
        "feature_config": checkpoint.feature_config,
        "params": checkpoint.params,
        "versions": checkpoint.versions,
    }
    write_tensors(path, checkpoint.matcher.state_dict(), about)


def load_matcher(path: Path | str) -> Matcher:
    """The matcher of a checkpoint, ready to score.

    Args:
        path: the file, or the folder of a run with a `matcher.safetensors` in it.
    Raises:
        CheckpointError: see `load_checkpoint`.
    """
    return load_checkpoint(Path(path)).matcher


def checkpoint_file(path: Path) -> Path:
    """The trained matcher's file, if `path` is the folder that holds it."""
    return path / "matcher.safetensors" if path.is_dir() else path


def load_checkpoint(path: Path, expected: MatcherSpec | None = None) -> Checkpoint:
    """Rebuilds a matcher from its file.

    Args:
        path: see `load_matcher`.
        expected: the spec that params.yaml and the feature store ask for.
    Raises:
        CheckpointError: if the file is missing or broken, is of another version, or holds a matcher of
            another shape.
    """
    path = checkpoint_file(path)
    about, weights = _read(path)
    stored = about["matcher"]
    try:
        own = matcher_class(stored["name"]).SECTION.model_validate(stored["own"])
        model = ModelParams.model_validate(stored["model"])
        spec = MatcherSpec(FeatureWidths(**stored["widths"]), model, own)
        matcher = build_matcher(spec)
    except (ConfigError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path}: holds a matcher that this version can't build ({one_line(error)}); "
            "run dvc repro to train again"
        ) from None
    if expected is not None:
        _check_spec(path, spec, expected)
    try:
        matcher.load_state_dict(weights)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise CheckpointError(
            f"{path}: weights do not fit the configuration stored with them ({lines[-1].strip()}); "
            "run dvc repro to train again"
        ) from None
    return Checkpoint(matcher.eval(), about["feature_config"], about["params"], about["versions"])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What the file says of itself, and the weights."""
    try:
        about, weights = read_tensors(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; run dvc repro to train") from None
    except CheckpointError as error:
        raise CheckpointError(f"{error}; run dvc repro to train again") from None
    if about.get("version") != CHECKPOINT_VERSION:
        raise CheckpointError(
            f"{path}: checkpoint version {about.get('version', 'unknown')}, wanted "
            f"{CHECKPOINT_VERSION}; run dvc repro to train again"
        )
    return about, weights


def _check_spec(path: Path, found: MatcherSpec, expected: MatcherSpec) -> None:
    if found.model.name != expected.model.name:
        pairs = [("model.name", found.model.name, expected.model.name)]
    else:
        pairs = [
            *_flat("features", vars(found.widths), vars(expected.widths)),
            *_flat("model", found.model.model_dump(), expected.model.model_dump()),
            *_flat(found.own.SECTION, found.own.model_dump(), expected.own.model_dump()),
        ]
    for key, stored, wanted in pairs:
        if stored != wanted:
            raise CheckpointError(
                f"{path}: trained with {key} = {stored!r}, now {key} = {wanted!r}; "
                "run dvc repro to train again"
            )


def _flat(
    section: str, found: dict[str, Any], wanted: dict[str, Any]
) -> list[tuple[str, Any, Any]]:
    return [(f"{section}.{key}", found[key], wanted[key]) for key in wanted]
