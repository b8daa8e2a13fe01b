"""The encoders under test, loaded once: the sample's CLIP and a tiny one of every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import EncodeSummary, encode_images, encode_texts
from mmoe.encoders.registry import load_encoder
from mmoe.features.store import FeatureTable, read_features
from mmoe.records import ImageInput, TextInput, write_records

from tests.encoders.tiny_models import (
    PROMPTS,
    save_bert,
    save_clip,
    save_lasttoken,
    save_naflex,
    save_paired,
    save_sentence,
    save_siglip,
)

SAMPLE_CLIP = Path(__file__).parents[2] / "data/raw/sample/clip"
BUILDERS: dict[str, Callable[[Path], None]] = {
    "clip": save_clip,
    "paired": save_paired,
    "siglip": save_siglip,
    "naflex": save_naflex,
    "bert": save_bert,
    "mean": partial(save_sentence, pooling="mean"),
    "cls": partial(save_sentence, pooling="cls", prompts=PROMPTS),
    "max": partial(save_sentence, pooling="max"),
    "lasttoken": save_lasttoken,
}
KINDS = ("sample", *BUILDERS)
SEEING = ("sample", "clip", "paired", "siglip", "naflex")


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
    """Encoders by kind: all of KINDS."""
    return {kind: load_encoder(str(folder), "cpu") for kind, folder in folders.items()}


@pytest.fixture
def params() -> EncodeParams:
    return EncodeParams(model="tiny", max_text_length=16, description_budget=4)


@pytest.fixture
def runtime() -> RuntimeParams:
    """Small shards, so that a few rows make several."""
    return RuntimeParams(device="cpu", shard_rows=4)


@dataclass(frozen=True)
class Bench:
    """A folder in which a part is encoded again and again, by the tiny CLIP or another encoder."""

    folder: Path
    params: EncodeParams
    runtime: RuntimeParams
    encoder: Encoder
    around: bool = True

    @property
    def places(self) -> tuple[Path, Path, Path]:
        return self.folder / "in.parquet", self.folder / "out", self.folder / "work"

    def texts(self, rows: Sequence[TextInput]) -> tuple[EncodeSummary, FeatureTable]:
        write_records(self.places[0], TextInput, rows)
        settings = self.params, self.runtime, self.encoder
        summary = encode_texts(*self.places, *settings, around_name=self.around)
        return summary, read_features(self.folder / "out")

    def images(
        self, rows: Sequence[ImageInput], files: Mapping[str, bytes]
    ) -> tuple[EncodeSummary, FeatureTable]:
        raw = self.folder / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (raw / name).write_bytes(content)
        write_records(self.places[0], ImageInput, rows)
        summary = encode_images(
            *self.places, self.params, self.runtime, self.encoder, raw, of_mentions=self.around
        )
        return summary, read_features(self.folder / "out")

    def shards(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "out").iterdir())]


@pytest.fixture
def bench(
    tmp_path: Path, params: EncodeParams, runtime: RuntimeParams, encoders: dict[str, Encoder]
) -> Bench:
    return Bench(tmp_path, params, runtime, encoders["clip"])
