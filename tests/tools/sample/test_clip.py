"""The small CLIP: it loads offline without a warning, and its tokenizer covers every byte."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmoe.encoders.registry import load_encoder
from tools.sample.clip import ClipSizes, TowerSizes, new_clip, new_tokenizer, save_clip
from tools.sample.clip_figures import load_clip
from tools.sample.merges import END_OF_WORD, Pair, learn_merges, merge

from tests.imports import ROOT

EMBEDDED = ROOT / "data/raw/sample/clip"
TEXTS = ("a drawing of two green planets at night", "Type: god. Symbols: winged sandals.")
TINY = ClipSizes(
    vision=TowerSizes(width=16, heads=2, layers=1, inner=16),
    text=TowerSizes(width=16, heads=2, layers=1, inner=16),
    projection=8,
    vocabulary=540,
)


def write_tiny(folder: Path, seed: int) -> None:
    tokenizer = new_tokenizer(TEXTS, TINY.vocabulary)
    save_clip(folder, new_clip(tokenizer, TINY, seed), tokenizer)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    write_tiny(folder, seed=3)
    return folder


@pytest.fixture(scope="module", params=["embedded", "fresh"])
def clip(request: pytest.FixtureRequest, fresh: Path) -> tuple[Any, Any]:
    return load_clip(EMBEDDED if request.param == "embedded" else fresh)


def test_it_sees_and_reads(clip: tuple[Any, Any]) -> None:
    model, processor = clip
    image = Image.effect_noise((224, 224), 60).convert("RGB")
    batch = processor(
        text=["a planet", "jaguar"], images=[image], return_tensors="pt", padding=True
    )
    out = model(**batch)
    assert out.text_embeds.shape == (2, model.config.projection_dim)
    assert out.image_embeds.shape == (1, model.config.projection_dim)
    assert out.vision_model_output.last_hidden_state.shape[1] == 1 + 49
    assert not out.text_embeds[0].allclose(out.text_embeds[1])


def test_the_tokenizer_neither_cuts_nor_pads_by_itself(tmp_path: Path) -> None:
    write_tiny(tmp_path, seed=3)
    model, processor = load_clip(tmp_path)
    processor.tokenizer(["a", "a b c d e"], padding=True, truncation=True, max_length=4)
    save_clip(tmp_path / "again", model, processor.tokenizer)
    for folder in (EMBEDDED, tmp_path / "again"):
        stored = json.loads((folder / "tokenizer.json").read_text("utf-8"))
        assert (stored["truncation"], stored["padding"]) == (None, None)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_only_the_end_is_the_end(clip: tuple[Any, Any], text: str) -> None:
    model, processor = clip
    config = model.config.text_config
    plain = text.replace("<|", "").replace("|>", "")
    ids = processor.tokenizer(plain)["input_ids"]
    assert ids[0] == config.bos_token_id
    assert [i for i, token in enumerate(ids) if token == config.eos_token_id] == [len(ids) - 1]


@pytest.mark.parametrize("text", ["two green planets, 1952!", "søren’s naïve 火星", "[sep] ¼"])
def test_texts_come_back(clip: tuple[Any, Any], text: str) -> None:
    tokenizer = clip[1].tokenizer
    found = tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"])
    assert found.replace(" ", "") == text.replace(" ", "")


def test_a_text_is_pooled_at_its_end(clip: tuple[Any, Any]) -> None:
    model, processor = clip
    tokens = processor.tokenizer(list(TEXTS), padding=True, return_tensors="pt")
    assert tokens["attention_mask"][0].sum() != tokens["attention_mask"][1].sum()
    with torch.inference_mode():
        out = model.text_model(**tokens)
    ends = tokens["attention_mask"].sum(dim=1) - 1
    expected = out.last_hidden_state[torch.arange(2), ends]
    torch.testing.assert_close(out.pooler_output, expected)


def test_our_loader_takes_it(fresh: Path) -> None:
    encoder = load_encoder(str(fresh), "cpu")
    assert encoder.joint
    assert encoder.text_limit == 77
    tokens = encoder.layout(50, 16).whole([1, 2], [3, 4, 5])
    assert encoder.encode_texts([tokens]).pooled_BP.shape == (1, 8)
    assert encoder.encode_images([Image.new("RGB", (224, 224))]).tokens_BLC.shape == (1, 50, 16)


def test_its_weights_are_half_floats_and_follow_from_the_seed(fresh: Path, tmp_path: Path) -> None:
    write_tiny(tmp_path, seed=3)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / name).read_bytes() == (fresh / name).read_bytes(), name
    write_tiny(tmp_path, seed=4)
    weights = "model.safetensors"
    assert (tmp_path / weights).read_bytes() != (fresh / weights).read_bytes()


def test_the_real_one_is_small(tmp_path: Path) -> None:
    sizes = ClipSizes()
    # As many words as fill the vocabulary.
    texts = [f"{a}{b}{c}" for a in "abcdefghijklmnop" for b in "aeiou" for c in "qrstuvwxyz"] * 2
    tokenizer = new_tokenizer([" ".join(texts), *TEXTS], sizes.vocabulary)
    model = new_clip(tokenizer, sizes, seed=0)
    vocabulary = model.config.text_config.vocab_size
    missing = (sizes.vocabulary - vocabulary) * sizes.text.width
    assert sum(parameter.numel() for parameter in model.parameters()) + missing <= 2_200_000


def test_the_embedded_one_fits_into_git() -> None:
    assert sum(file.stat().st_size for file in EMBEDDED.iterdir()) <= 4_500_000


def test_the_most_frequent_pair_first() -> None:
    assert learn_merges(["aab", "aab", "cd"], 9) == [
        ("a", "a"),
        ("aa", "b" + END_OF_WORD),
        ("c", "d" + END_OF_WORD),
    ]


def counted_anew(words: list[str], number: int) -> list[Pair]:
    """Every pair in every word counted again after each merge: nothing to get wrong."""
    cut = [(*word[:-1], word[-1] + END_OF_WORD) for word in words]
    merges: list[Pair] = []
    while len(merges) < number:
        pairs = Counter(pair for parts in cut for pair in pairwise(parts))
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        cut = [merge(parts, best) for parts in cut]
    return merges


@given(st.lists(st.text("abc", min_size=1, max_size=9), max_size=12), st.integers(0, 12))
def test_merges_equal_the_oracle(words: list[str], number: int) -> None:
    assert learn_merges(words, number) == counted_anew(words, number)


@given(st.lists(st.text("abc", min_size=1, max_size=6), max_size=12))
def test_merges_rebuild_every_word(words: list[str]) -> None:
    merges = learn_merges(words, 1000)
    for word in Counter(words):
        parts: tuple[str, ...] = (*word[:-1], word[-1] + END_OF_WORD)
        for pair in merges:
            parts = merge(parts, pair)
        assert parts == (word + END_OF_WORD,)
