"""Training the small CLIP: the loss falls, a killed run goes on, and the same plan gives the same weights."""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch.nn import functional

from mmoe.encoders.registry import load_encoder
from mmoe.files import read_json
from tools.sample import train_clip
from tools.sample.augment import MOST_SHIFT, Noise, altered
from tools.sample.authored import Authored, read_authored
from tools.sample.captions import caption, full_caption, true_of
from tools.sample.clip import ClipSizes, TowerSizes, new_clip
from tools.sample.clip_figures import load_clip, measure, read
from tools.sample.clip_loss import contrastive_loss
from tools.sample.clip_patches import PatchEmbeddings
from tools.sample.clip_trainer import ClipTrainer, TrainPlan, cpu_precision
from tools.sample.train_data import TrainingBatches, held_out, numbered_drawing, random_scene

pytestmark = pytest.mark.generator

AUTHORED = Authored(("Mercury, first planet from the Sun", "Roman god of trade"), ("Mercury",))
PLAN = TrainPlan(
    steps=20,
    batch=16,
    seed=5,
    threads=1,
    precision="float32",
    window=32,
    sizes=ClipSizes(
        vision=TowerSizes(width=32, heads=2, layers=1, inner=32),
        text=TowerSizes(width=32, heads=2, layers=1, inner=32),
        projection=16,
        vocabulary=700,
    ),
)


def habits(folder: Path, **others: Any) -> train_clip.Habits:
    return train_clip.Habits(folder / "work", workers=0, **others)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    folder = tmp_path_factory.mktemp("trained")
    figures = train_clip.train(folder / "clip", PLAN, AUTHORED, habits(folder))
    return folder / "clip", figures


def test_the_folder_loads(trained: tuple[Path, dict[str, float]]) -> None:
    folder, figures = trained
    assert figures["steps"] == 20
    assert figures["pairs"] == 320
    assert not (folder.parent / "work").exists()
    weights = load_file(folder / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert load_encoder(str(folder), "cpu").joint


def test_no_two_captions_share_a_vector(trained: tuple[Path, dict[str, float]]) -> None:
    rng = random.Random(2)  # noqa: S311
    scenes = [random_scene(rng) for _ in range(300)]
    texts = {caption(scene, rng).text.lower() for scene in scenes}
    texts |= {full_caption(scene).text for scene in scenes}
    vectors_NP = read(*load_clip(trained[0]), sorted(texts))
    distances_NN = torch.cdist(vectors_NP, vectors_NP).fill_diagonal_(torch.inf)
    assert distances_NN.min() > 1e-5


def test_the_same_plan_gives_the_same_weights(
    trained: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    train_clip.train(tmp_path / "clip", PLAN, AUTHORED, habits(tmp_path))
    for name in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / "clip" / name).read_bytes() == (trained[0] / name).read_bytes(), name


@pytest.mark.slow
def test_a_killed_run_goes_on(trained: tuple[Path, dict[str, float]], tmp_path: Path) -> None:
    seen = []

    def killed_at_12(step: int, loss: float) -> None:
        if step == 12:
            raise KeyboardInterrupt

    habit = habits(tmp_path, checkpoint_seconds=0.0, on_step=killed_at_12)
    with pytest.raises(KeyboardInterrupt):
        train_clip.train(tmp_path / "clip", PLAN, AUTHORED, habit)
    habit = habits(tmp_path, on_step=lambda step, _loss: seen.append(step))
    train_clip.train(tmp_path / "clip", PLAN, AUTHORED, habit)
    assert seen == list(range(13, 21))
    weights = "model.safetensors"
    assert (tmp_path / "clip" / weights).read_bytes() == (trained[0] / weights).read_bytes()


def test_the_loss_of_a_batch_falls() -> None:
    plan = replace(PLAN, learning_rate=3e-3)
    trainer = ClipTrainer(plan, train_clip.tokenizer_for(AUTHORED, plan))
    batch = batches(plan)[0]
    losses = [trainer.step(batch) for _ in range(20)]
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bytes_are_embedded_as_the_processor_and_the_convolution_would(
    trained: tuple[Path, dict[str, float]], dtype: torch.dtype
) -> None:
    model, processor = load_clip(trained[0])
    images = [pixels for _, pixels in held_out(0, 3)]
    pixels = processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
    stock = model.vision_model.embeddings
    raw = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    found = PatchEmbeddings(stock, dtype)(raw).float()
    tolerance = 1e-4 if dtype == torch.float32 else 3e-2
    torch.testing.assert_close(found, stock(pixels), atol=tolerance, rtol=tolerance)


def test_the_fast_patches_keep_the_names_of_the_weights() -> None:
    plan = replace(PLAN, precision="bfloat16")
    trainer = ClipTrainer(plan, train_clip.tokenizer_for(AUTHORED, plan))
    plain = new_clip(trainer.tokenizer, plan.sizes, plan.seed)
    assert trainer.model.state_dict().keys() == plain.state_dict().keys()
    assert np.isfinite(trainer.step(batches(plan)[0]))


@given(st.integers(1, 7), st.integers(0, 10**6))
def test_the_loss_equals_the_oracle(number: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    first, second = (
        functional.normalize(torch.randn(number, 5, generator=generator), dim=-1) for _ in range(2)
    )
    also = torch.rand(number, number, generator=generator) < 0.3
    found = contrastive_loss(first, second, also, torch.tensor(7.0))
    terms = []
    for i in range(number):
        rivals = [j for j in range(number) if j == i or not also[i, j]]
        terms.append(-torch.log_softmax(7.0 * first[i] @ second[rivals].T, 0)[rivals.index(i)])
        rivals = [j for j in range(number) if j == i or not also[j, i]]
        terms.append(-torch.log_softmax(7.0 * second[i] @ first[rivals].T, 0)[rivals.index(i)])
    torch.testing.assert_close(found, torch.stack(terms).mean())


def test_what_is_also_true_is_no_negative() -> None:
    vectors = torch.ones(4, 3) / 3**0.5
    everything = torch.ones(4, 4, dtype=torch.bool)
    assert contrastive_loss(vectors, vectors, everything, torch.tensor(5.0)) == 0


def batches(plan: TrainPlan, authored: Authored = AUTHORED) -> TrainingBatches:
    return TrainingBatches(plan.seed, plan.batch, authored, plan.window, plan.reuse)


def test_a_batch_says_which_captions_are_also_true() -> None:
    one = batches(PLAN)
    batch = one[0]
    rng = random.Random(f"clip-batch:{PLAN.seed}:0")  # noqa: S311
    scenes = [one.kept[number][0] for number in one.numbers(0, rng)]
    assert batch.true_BB.diagonal().all()
    assert batch.alike_FF.diagonal().all()
    assert batch.pixels_BCHW.shape == (16, 3, 224, 224)
    assert len(batch.second_texts) == 4
    whole = [full_caption(scene).facts for scene in scenes]
    assert [scene for scene in scenes if true_of(whole[0], scene)] == [scenes[0]]


def test_batches_follow_from_their_number_alone() -> None:
    in_order, alone = batches(PLAN), batches(PLAN)
    for step in range(3):
        expected = in_order[step]
    batch = alone[2]
    assert batch.texts == expected.texts
    assert torch.equal(batch.pixels_BCHW, expected.pixels_BCHW)
    assert torch.equal(batch.true_BB, expected.true_BB)


def test_drawings_are_used_again_and_then_forgotten() -> None:
    plan = replace(PLAN, batch=32, window=64, reuse=4)
    one, uses = batches(plan), Counter[int]()
    for step in range(60):
        numbers = one.numbers(step, random.Random(step))  # noqa: S311
        assert len(set(numbers)) == 32
        one.kept |= dict.fromkeys(numbers, numbered_drawing("x", 0, 0))
        assert len(one.kept) <= 64 + 8
        uses.update(numbers)
    settled = [uses[number] for number in range(100, 400)]
    assert sum(settled) / len(settled) == pytest.approx(4, abs=0.3)


def test_streams_share_no_drawing() -> None:
    training = {numbered_drawing("clip-train", 0, number)[1].tobytes() for number in range(40)}
    assert not training & {pixels.tobytes() for _, pixels in held_out(0, 40)}


@pytest.mark.slow
def test_worker_processes_change_nothing() -> None:
    plan = replace(PLAN, steps=2)
    here, there = (list(train_clip._batches(plan, AUTHORED, 0, n)) for n in (0, 1))
    assert [batch.texts for batch in here] == [batch.texts for batch in there]
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one.pixels_BCHW, other.pixels_BCHW)


@given(st.integers(0, 10**6))
def test_altered_drawings_are_still_drawings(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    white = np.full((64, 64, 3), 255, np.uint8)
    white[32 - 4 : 32 + 4, 32 - 4 : 32 + 4] = 0
    found = altered(white, NOISE, rng)
    assert found.shape == white.shape
    assert found.dtype == np.uint8
    rows, columns = np.nonzero(found.mean(axis=2) < 110)
    assert abs(rows.mean() - 31.5) <= MOST_SHIFT + 4
    assert abs(columns.mean() - 31.5) <= MOST_SHIFT + 4


NOISE = Noise()


def test_the_rate_rises_and_falls() -> None:
    rates = [replace(PLAN, steps=100).rate(step) for step in range(100)]
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(1e-3)
    assert 3 <= peak <= 6
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 1e-5


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("avx2 avx512f", "float32"), ("avx512_bf16", "bfloat16"), ("amx_bf16", "bfloat16")],
)
def test_bfloat16_only_where_the_processor_has_it(
    tmp_path: Path, flags: str, expected: str
) -> None:
    information = tmp_path / "cpuinfo"
    information.write_text(f"model name : X\nflags : {flags}\n")
    assert cpu_precision(information) == expected
    assert cpu_precision(tmp_path / "none") == "float32"


def test_authored_texts_are_found_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("entities: [{name: Mars, qid: Q111}]")
    (tmp_path / "b.yaml").write_text(
        "- name: Mercury\n  aliases: [Mercurius]\n  attributes: 'Type: god.'\n"
        "  mentions:\n  - text: He carries a message.\n    short: a message\n  kind: temple\n"
    )
    found = read_authored(tmp_path)
    assert found.names == ("Mars", "Mercury", "Mercurius")
    assert found.texts == (
        *("Mars", "Mercury", "Mercurius", "Type: god.", "He carries a message.", "a message"),
    )


@pytest.mark.parametrize("option", ["--steps=0", "--batch=-1", "--minutes=0", "--minutes=nan"])
def test_an_impossible_length_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    train_clip.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([option])
    assert "must be" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_writes_figures_and_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = argparse.ArgumentParser()
    train_clip.add_arguments(parser)
    out = tmp_path / "clip"
    options = ["--minutes", "0.0001", "--batch", "8", "--threads", "1", "--out", str(out)]
    monkeypatch.setattr(train_clip, "TrainPlan", partial(TrainPlan, sizes=PLAN.sizes, window=8))
    monkeypatch.setattr(train_clip, "measure", partial(measure, measured=100, probe_training=60))
    train_clip.main_train(parser.parse_args([*options, "--work", str(tmp_path / "work")]))
    figures = read_json(out / "figures.json")
    assert figures["training"]["steps"] >= 1
    assert figures["zero_shot"]["kind"]["number"] == 100
    card = (out / "README.md").read_text()
    assert "| kind, zero-shot |" in card
    assert f"{figures['model']['parameters']:,} parameters" in card
    assert not list((tmp_path / "work").iterdir())
