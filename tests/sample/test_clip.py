"""The small CLIP: it loads offline without a warning, and its tokenizer covers every byte."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from mmoe.sample.build import build_clip
from mmoe.sample.merges import END_OF_WORD, learn_merges, merge

EMBEDDED = Path(__file__).parents[2] / "data/raw/sample/clip"


@pytest.fixture(scope="module")
def clip() -> tuple[Any, Any]:
    import torch
    import transformers

    hf: Any = transformers
    model = hf.CLIPModel.from_pretrained(EMBEDDED, local_files_only=True, dtype=torch.float32)
    return model, hf.CLIPProcessor.from_pretrained(EMBEDDED, local_files_only=True)


def test_it_sees_and_reads(clip: tuple[Any, Any]) -> None:
    from PIL import Image

    model, processor = clip
    with Image.open(EMBEDDED.parent / "entity_images/Q308-1.png") as picture:
        batch = processor(
            text=["a planet", "jaguar"], images=[picture], return_tensors="pt", padding=True
        )
    out = model(**batch)
    assert out.text_embeds.shape == (2, 32)
    assert out.image_embeds.shape == (1, 32)
    assert out.vision_model_output.last_hidden_state.shape[1] == 1 + 49
    assert not out.text_embeds[0].allclose(out.text_embeds[1])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_only_the_end_is_the_end(clip: tuple[Any, Any], text: str) -> None:
    model, processor = clip
    config = model.config.text_config
    plain = text.replace("<|", "").replace("|>", "")
    ids = processor.tokenizer(plain)["input_ids"]
    assert ids[0] == config.bos_token_id
    assert [i for i, token in enumerate(ids) if token == config.eos_token_id] == [len(ids) - 1]


def test_the_embedded_one_is_the_generators(tmp_path: Path) -> None:
    build_clip(tmp_path)
    made, kept = (folder / "tokenizer.json" for folder in (tmp_path / "clip", EMBEDDED))
    assert json.loads(made.read_text())["model"] == json.loads(kept.read_text())["model"]
    weights, embedded = (
        load_file(folder / "model.safetensors") for folder in (tmp_path / "clip", EMBEDDED)
    )
    assert weights.keys() == embedded.keys()
    for name, tensor in weights.items():  # another processor may round the last bit differently
        assert np.allclose(tensor, embedded[name], atol=1e-3), name


def test_it_is_small() -> None:
    assert sum(file.stat().st_size for file in EMBEDDED.iterdir()) < 1_000_000


def test_the_most_frequent_pair_first() -> None:
    assert learn_merges(["aab", "aab", "cd"], 9) == [
        ("a", "a"),
        ("aa", "b" + END_OF_WORD),
        ("c", "d" + END_OF_WORD),
    ]


@given(st.lists(st.text("abc", min_size=1, max_size=6), max_size=12))
def test_merges_rebuild_every_word(words: list[str]) -> None:
    merges = learn_merges(words, 1000)
    for word in Counter(words):
        parts: tuple[str, ...] = (*word[:-1], word[-1] + END_OF_WORD)
        for pair in merges:
            parts = merge(parts, pair)
        assert parts == (word + END_OF_WORD,)
