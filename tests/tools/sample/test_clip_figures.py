"""The figures are held against encoders of which the right answer is known."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmoe.errors import DataError
from tools.sample.clip_figures import Seen, _probe, zero_shot
from tools.sample.drawing import BACKGROUND_PHRASES, BACKGROUNDS, COLOURS, KIND_NOUNS, KINDS, Scene
from tools.sample.model_card import ROWS, write_card
from tools.sample.train_data import random_scene

pytestmark = pytest.mark.generator

TRAITS = (*KINDS, *COLOURS, *BACKGROUNDS, 1, 2, 3)


def understood(text: str) -> list[int | str]:
    """The traits that a plain sentence states."""
    places = {b: phrases[0] for b, phrases in BACKGROUND_PHRASES.items() if phrases[0] in text}
    for phrase in places.values():
        text = text.replace(phrase, "")
    words = text.replace(".", "").split()
    nouns = {
        kind: noun
        for kind, forms in KIND_NOUNS.items()
        for noun in forms
        if f" {noun}" in f" {text}"
    }
    kinds = [max(nouns, key=lambda each: len(nouns[each]))] if nouns else []
    count = 2 if "two" in words else 3 if "three" in words else 1
    return [*kinds, count, *places, *(colour for colour in COLOURS if colour in words)]


def vectors(traits: Sequence[Sequence[int | str]]) -> Tensor:
    rows = [[float(trait in each) for trait in TRAITS] for each in traits]
    return functional.normalize(torch.tensor(rows), dim=-1)


def knowing(texts: Sequence[str]) -> Tensor:
    return vectors([understood(text) for text in texts])


def scenes_of(number: int, seed: int) -> list[Scene]:
    rng = random.Random(seed)  # noqa: S311
    return [random_scene(rng) for _ in range(number)]


def seen(scenes: list[Scene], states_NC: Tensor) -> Seen:
    images = vectors([(s.kind, s.colour, s.background, s.count) for s in scenes])
    return Seen(scenes, images, states_NC, states_NC)


def test_who_understands_everything_is_always_right() -> None:
    found = zero_shot(seen(scenes_of(300, seed=1), torch.zeros(300, 1)), knowing, seed=0)
    for beyond in ("varied_caption_among_100", "words_shared_among_100"):
        found.pop(beyond)  # texts that `knowing` does not read
    assert {name: figure["accuracy"] for name, figure in found.items()} == dict.fromkeys(found, 1.0)
    assert found["count"]["number"] < found["kind"]["number"] == 300


def test_who_understands_nothing_is_near_chance() -> None:
    generator = torch.Generator().manual_seed(0)

    def guessing(texts: Sequence[str]) -> Tensor:
        vectors_NP = torch.randn(len(texts), len(TRAITS), generator=generator)
        return functional.normalize(vectors_NP, dim=-1)

    found = zero_shot(seen(scenes_of(1000, seed=1), torch.zeros(1000, 1)), guessing, seed=0)
    for name, figure in found.items():
        assert figure["accuracy"] == pytest.approx(figure["chance"], abs=0.08), name


def test_a_probe_finds_what_is_there() -> None:
    generator = torch.Generator().manual_seed(0)
    scenes = scenes_of(1500, seed=2)
    kinds_N = torch.tensor([KINDS.index(scene.kind) for scene in scenes])
    noise_NC = torch.randn(1500, 30, generator=generator)
    signal_NC = functional.one_hot(kinds_N, 30).float()
    for states_NC, expected in ((10 * signal_NC + noise_NC, 1.0), (noise_NC, 1 / 24)):
        parts = [seen(scenes[part], states_NC[part]) for part in (slice(900), slice(900, None))]
        figure = _probe(parts[0], parts[1], "patches_NC")
        assert figure["accuracy"] == pytest.approx(expected, abs=0.04)
        assert figure["number"] == 600


def test_the_card_shows_every_figure(tmp_path: Path) -> None:
    tower = {
        "num_hidden_layers": 4,
        "hidden_size": 160,
        "num_attention_heads": 4,
        "intermediate_size": 512,
        "max_position_embeddings": 77,
    }
    config = {"text_config": tower, "vision_config": tower, "projection_dim": 96}
    figures: dict[str, dict[str, object]] = {
        "model": {"parameters": 2151969, "vocabulary": 2200},
        "training": {
            "steps": 9000,
            "batch": 128,
            "pairs": 1152000,
            "seconds": 2280.0,
            "pairs_per_second": 505.3,
            "first_loss": 4.9,
            "last_loss": 0.8,
            "seed": 7,
            "precision": "bfloat16",
            "machine": "2 cores of X",
        },
        "zero_shot": {},
        "probe": {},
    }
    for number, (section, key, _) in enumerate(ROWS):
        figure = {"accuracy": 0.5 + number / 100, "chance": 0.0417, "number": 1500}
        figures[section][key] = figure
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match=r"figures\.json: no such file"):
        write_card(tmp_path)
    (tmp_path / "figures.json").write_text(json.dumps(figures))
    write_card(tmp_path)
    card = (tmp_path / "README.md").read_text()
    for number, (_, _, title) in enumerate(ROWS):
        assert f"| {title} | {50 + number:.1f}% | 4.2% | 1,500 |" in card
    assert "2,151,969 parameters" in card
    assert "1,152,000 pairs) in 38 minutes" in card
