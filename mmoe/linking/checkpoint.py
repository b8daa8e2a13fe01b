"""The trained matcher in one safetensors file, with the configuration that rebuilds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.errors import CheckpointError, one_line
from mmoe.files import atomic_write
from mmoe.model.features import FeatureWidths
from mmoe.model.matcher import Matcher, MatcherSpec

CHECKPOINT_VERSION = 1
METADATA_KEY = "mmoe"


def save_matcher(path: Path, matcher: Matcher, config: dict[str, Any]) -> None:
    """Writes weights and configuration.

    Args:
        config: the resolved parameters of the run, for people; the matcher's own spec is added.
    """
    spec = matcher.spec
    about = {
        "version": CHECKPOINT_VERSION,
        "spec": {
            "widths": vars(spec.widths),
            "model": spec.model.model_dump(mode="json"),
            "moe": spec.moe.model_dump(mode="json"),
        },
        "config": config,
    }
    # One key: safetensors writes several in random order, and DVC would see another file each time.
    metadata = {METADATA_KEY: json.dumps(about)}
    weights = {name: tensor.contiguous().cpu() for name, tensor in matcher.state_dict().items()}
    with atomic_write(path) as temporary:
        temporary.write_bytes(save(weights, metadata))


def load_matcher(path: Path, expected: MatcherSpec | None = None) -> Matcher:
    """Rebuilds a matcher from its file.

    Args:
        expected: the spec that params.yaml and the feature store ask for.
    Raises:
        CheckpointError: if the file is missing or broken, or holds a matcher of another shape.
    """
    about, weights = _read(path)
    stored = about["spec"]
    spec = MatcherSpec(
        FeatureWidths(**stored["widths"]),
        ModelParams.model_validate(stored["model"]),
        MoeParams.model_validate(stored["moe"]),
    )
    if expected is not None:
        _check_spec(path, spec, expected)
    matcher = Matcher(spec)
    try:
        matcher.load_state_dict(weights)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise CheckpointError(
            f"{path}: weights do not fit the configuration stored with them ({lines[-1].strip()}); "
            "run dvc repro to train again"
        ) from None
    return matcher.eval()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What the file says of itself, and the weights."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; run dvc repro to train") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a whole safetensors file ({one_line(error)}); run dvc repro to train again"
        ) from None
    about: dict[str, Any] = json.loads(metadata.get(METADATA_KEY, "{}"))
    if about.get("version") != CHECKPOINT_VERSION:
        raise CheckpointError(
            f"{path}: checkpoint version {about.get('version', 'unknown')}, wanted "
            f"{CHECKPOINT_VERSION}; run dvc repro to train again"
        )
    return about, weights


def _check_spec(path: Path, found: MatcherSpec, expected: MatcherSpec) -> None:
    pairs = [
        *_flat("features", vars(found.widths), vars(expected.widths)),
        *_flat("model", found.model.model_dump(), expected.model.model_dump()),
        *_flat("moe", found.moe.model_dump(), expected.moe.model_dump()),
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
