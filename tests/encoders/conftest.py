"""The encoders under test, loaded once: the sample's CLIP and a tiny one of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import load_encoder

from tests.encoders.tiny_models import save_bert, save_clip, save_siglip

SAMPLE_CLIP = Path(__file__).parents[2] / "data/raw/sample/clip"
BUILDERS: dict[str, Callable[[Path], None]] = {
    "bert": save_bert,
    "clip": save_clip,
    "siglip": save_siglip,
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of models by kind."""
    found = {"sample": SAMPLE_CLIP}
    for kind, build in BUILDERS.items():
        found[kind] = tmp_path_factory.mktemp("model") / kind
        build(found[kind])
    return found


@pytest.fixture(scope="session")
def encoders(folders: dict[str, Path]) -> dict[str, Encoder]:
    """Encoders by kind: sample, clip, siglip, bert."""
    return {kind: load_encoder(str(folder), "cpu") for kind, folder in folders.items()}


@pytest.fixture
def params() -> EncodeParams:
    return EncodeParams(model="tiny", max_text_length=16, description_budget=4)


@pytest.fixture
def runtime() -> RuntimeParams:
    """Small shards, so that a few rows make several."""
    return RuntimeParams(device="cpu", shard_rows=4)
