"""The drawings: seeded, small, in the named colour, one kind unlike another, and without letters."""

from __future__ import annotations

import ast
import colorsys
import random
import statistics
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import tools.sample.drawing as drawing
from tools.sample.drawing import (
    BACKGROUND_PHRASES,
    BACKGROUNDS,
    COLOURS,
    KIND_NOUNS,
    KINDS,
    SIZE,
    Scene,
    draw,
    save_image,
)

pytestmark = pytest.mark.generator

ALONE = ("city", "map", "river", "mountain", "portrait", "building", "temple")
SEVERAL = tuple(kind for kind in KINDS if kind not in ALONE)
HUES = {"red": 0, "orange": 29, "yellow": 52, "green": 127, "blue": 220, "purple": 281, "brown": 22}

scenes = st.builds(
    Scene, st.sampled_from(KINDS), st.sampled_from(COLOURS), st.sampled_from(BACKGROUNDS)
) | st.builds(
    Scene,
    st.sampled_from(SEVERAL),
    st.sampled_from(COLOURS),
    st.sampled_from(BACKGROUNDS),
    st.integers(1, 3),
)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - not for secrets


def drawn(scene: Scene, seed: int = 0) -> Image.Image:
    return draw(scene, seeded(seed))


def pixels(scene: Scene, seed: int = 0) -> NDArray[np.int64]:
    return np.asarray(drawn(scene, seed)).astype(np.int64)


def coloured(kind: str, background: str, seed: int, count: int = 1) -> NDArray[np.bool_]:
    """Where the image depends on its colour: the thing itself, without outlines and background."""
    red, blue = (pixels(Scene(kind, colour, background, count), seed) for colour in ("red", "blue"))
    inside: NDArray[np.bool_] = np.any(red != blue, axis=2)
    return inside


@settings(max_examples=40, deadline=None)
@given(scenes, st.integers(0, 2**32))
def test_equal_seeds_draw_equal_images(scene: Scene, seed: int) -> None:
    rng, again = seeded(seed), seeded(seed)
    first, second = draw(scene, rng), draw(scene, again)
    assert (first.mode, first.size) == ("RGB", (SIZE, SIZE)) == ("RGB", (224, 224))
    assert first.tobytes() == second.tobytes()
    assert rng.random() == again.random()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_on_every_background_and_seeds_differ(kind: str) -> None:
    seen = {
        drawn(Scene(kind, "red", name), seed).tobytes() for name in BACKGROUNDS for seed in (1, 2)
    }
    assert len(seen) == 2 * len(BACKGROUNDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_thing_has_the_named_colour(kind: str) -> None:
    for seed in range(4):
        colour = COLOURS[(KINDS.index(kind) + 2 * seed) % len(COLOURS)]
        background = BACKGROUNDS[(KINDS.index(kind) + seed) % len(BACKGROUNDS)]
        inside = coloured(kind, background, seed)
        found = pixels(Scene(kind, colour, background), seed)[inside] / 255
        hsv = np.array([colorsys.rgb_to_hsv(*rgb) for rgb in found[::5].tolist()])
        saturation, value = np.median(hsv[:, 1]), np.median(hsv[:, 2])
        if colour == "grey":
            assert saturation < 0.15
            continue
        away = (hsv[:, 0] * 360 - HUES[colour] + 180) % 360 - 180
        assert abs(np.median(away)) <= 16
        assert saturation > 0.4
        assert (value < 0.6) if colour == "brown" else (value > 0.4)
        if colour in ("orange", "yellow"):
            assert value > 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_one_thing_fills_the_image_and_three_are_three(kind: str) -> None:
    for seed in range(2):
        rows, columns = np.nonzero(coloured(kind, "plain", seed))
        wide, high = np.ptp(columns) / SIZE, np.ptp(rows) / SIZE
        assert 0.55 <= max(wide, high) <= 1
        assert len(rows) >= 0.07 * SIZE**2
        if kind in SEVERAL:
            assert coloured(kind, "plain", seed, 3).any(axis=0).mean() > 0.4


def test_kinds_are_told_apart_by_their_outline() -> None:
    """A nearest-mean rule on coarse outlines of unseen drawings finds the kind far above chance."""

    def outline(kind: str, seed: int) -> NDArray[np.float64]:
        inside = coloured(kind, "plain", seed)
        # Both ways round, for mirroring says nothing about the kind.
        coarse: NDArray[np.float64] = (
            (inside * 1.0 + inside[:, ::-1]).reshape(14, 16, 14, 16).mean((1, 3))
        )
        return coarse

    means = np.array([np.mean([outline(k, s) for s in range(6)], axis=0) for k in KINDS])
    hits = [
        KINDS[int(((means - outline(kind, seed)) ** 2).sum(axis=(1, 2)).argmin())] == kind
        for kind in KINDS
        for seed in range(100, 102)
    ]
    assert statistics.mean(hits) > 0.6


def test_backgrounds_are_told_apart_behind_any_thing() -> None:
    """A nearest-mean rule on a coarse image of unseen drawings finds the background."""

    def coarse(kind: str, background: str, seed: int) -> NDArray[np.float64]:
        cells: NDArray[np.float64] = (
            pixels(Scene(kind, "red", background), seed)
            .reshape(14, 16, 14, 16, 3)
            .mean(axis=(1, 3))
        )
        return cells

    means = np.array([np.mean([coarse(k, name, 1) for k in KINDS], axis=0) for name in BACKGROUNDS])
    hits = [
        BACKGROUNDS[int(((means - coarse(kind, name, 2)) ** 2).sum(axis=(1, 2, 3)).argmin())]
        == name
        for name in BACKGROUNDS
        for kind in KINDS[::2]
    ]
    assert statistics.mean(hits) > 0.6


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("unicorn", "red", "sky", 1), "kind 'unicorn'"),
        (("cat", "pink", "sky", 1), "colour 'pink'"),
        (("cat", "red", "moon", 1), "background 'moon'"),
        (("cat", "red", "sky", 0), "count 0 of cat"),
        (("cat", "red", "sky", 4), "count 4 of cat"),
        *(((kind, "red", "sky", 2), f"count 2 of {kind}") for kind in ALONE),
    ],
)
def test_impossible_scenes_are_refused(words: tuple[str, str, str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Scene(*words)


def test_every_kind_and_background_has_words() -> None:
    assert tuple(KIND_NOUNS) == KINDS
    assert len(set(KINDS)) == 24
    assert tuple(BACKGROUND_PHRASES) == BACKGROUNDS
    phrases = [phrase for group in BACKGROUND_PHRASES.values() for phrase in group]
    assert len(phrases) == len(set(phrases))
    assert all(len(set(nouns)) == 2 or nouns == ("fish", "fish") for nouns in KIND_NOUNS.values())


def test_files_are_small_lossless_and_repeatable(tmp_path: Path) -> None:
    sizes = []
    for i, kind in enumerate(KINDS):
        count = 3 if kind in SEVERAL else 1
        scene = Scene(kind, COLOURS[i % 8], BACKGROUNDS[(i + count) % 8], count)
        image, file = drawn(scene, i), tmp_path / f"{kind}.png"
        save_image(image, file)
        with Image.open(file) as read:
            assert read.convert("RGB").tobytes() == image.tobytes()
        sizes.append(file.stat().st_size)
        before = file.read_bytes()
        save_image(image, file)
        assert file.read_bytes() == before
    assert statistics.mean(sizes) <= 5 * 1024
    assert len(list(tmp_path.iterdir())) == len(sizes)


def test_an_image_of_many_colours_is_kept_as_it_is(tmp_path: Path) -> None:
    noise = Image.frombytes("RGB", (64, 64), seeded(0).randbytes(64 * 64 * 3))
    save_image(noise, tmp_path / "noise.png")
    with Image.open(tmp_path / "noise.png") as read:
        assert read.mode == "RGB"
        assert read.tobytes() == noise.tobytes()


def test_a_contact_sheet_has_a_cell_and_a_caption_for_each_scene() -> None:
    shown = [(Scene(kind, "blue", "sky"), f"a {kind}") for kind in KINDS[:5]]
    sheet = drawing.contact_sheet(shown, 3)
    taller = drawing.contact_sheet([*shown, *shown], 3)
    assert sheet.tobytes() == drawing.contact_sheet(shown, 3).tobytes()
    assert (sheet.width, sheet.height) < (taller.width, taller.height)
    other = drawing.contact_sheet([(scene, "another") for scene, _ in shown], 3)
    assert sheet.tobytes() != other.tobytes()


@pytest.mark.parametrize(("number", "columns"), [(0, 3), (2, 0)])
def test_an_empty_contact_sheet_is_refused(number: int, columns: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        drawing.contact_sheet([(Scene("cat", "red", "sky"), "a")] * number, columns)


def test_no_letters_are_drawn() -> None:
    folder = Path(drawing.__file__).parent
    for file in sorted(folder.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        letters = names & {"ImageFont", "text", "multiline_text", "truetype", "load_default"}
        assert bool(letters) == (file.name == "sheet.py"), f"{file.name}: {letters}"
