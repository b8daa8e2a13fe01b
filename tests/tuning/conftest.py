"""A small data set of texts and images, and the tiny CLIP that is tuned on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmoe.config.encode import EncodeParams
from mmoe.config.tune import TuneParams
from mmoe.encoders.registry import load_encoder
from mmoe.encoders.tuned import Tuning
from mmoe.linking.data import LinkingData, gold_positions
from mmoe.records import Entity, ImageInput, Mention, TextInput
from mmoe.tuning.live import ImageFiles, Live, LiveSide
from mmoe.tuning.processes import Processes

from tests.encoders.tiny_models import save_clip

ENCODE = EncodeParams(model="tiny", max_text_length=16, description_budget=4)
NAMES = ("jaguar", "river", "car", "runs", "the", "of")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    save_clip(folder)
    return folder


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of four entities and their mentions, two each missing."""
    folder = tmp_path_factory.mktemp("raw")
    rng = np.random.default_rng(0)
    for i in range(len(NAMES)):
        pixels = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def tuning(clip: Path, method: str, **changes: object) -> Tuning:
    """An encoder about to be tuned; always from the same start."""
    torch.manual_seed(0)
    params = TuneParams.model_validate({"method": method, "lora_rank": 2, **changes})
    return Tuning(load_encoder(str(clip), "cpu"), params)


def live_data(
    tuned: Tuning, raw: Path, rows_at_a_time: int = 4, processes: Processes | None = None
) -> LinkingData[LiveSide]:
    """Eighteen mentions of six entities, a third of them for validation; each side lacks an image."""
    live = Live(tuned.encoder, ENCODE, rows_at_a_time, processes=processes or Processes())
    entities = [Entity(f"Q{i}", name, f"a {name} of the river", ()) for i, name in enumerate(NAMES)]
    mentions = []
    for number in range(18):
        i, split = number % 6, "valid" if number >= 12 else "train"
        text = " ".join([NAMES[i], "runs"] + ["of"] * (number // 6))
        mentions.append(
            Mention(f"m{number}", f"m{number}", NAMES[i], text, None, f"Q{i}", True, split)
        )
    sides = []
    for records in (
        [(m.mention_id, m.surface_form, m.context) for m in mentions],
        [(e.qid, e.name, e.attributes) for e in entities],
    ):
        texts = [TextInput(*record, None) for record in records]
        images = [
            ImageInput(key, None, None) if i == 5 else ImageInput(key, f"{i % 6}.png", "0" * 64)
            for i, (key, *_) in enumerate(records)
        ]
        sides.append(
            live.side(texts, ImageFiles(images, raw, 10**6), of_mentions=len(records) == 18)
        )
    gold = gold_positions(mentions, entities)
    return LinkingData(mentions, entities, sides[0], sides[1], gold)
