"""What the small CLIP is trained on: each step's drawings and captions, from the seed and the step alone.

A drawing is used in several batches, each time altered and under another caption, because drawing one
takes longer than training on it. Which ones a step uses follows from its number, so a resumed run and
a run with other workers see the same batches.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from tools.sample.augment import Noise, altered
from tools.sample.authored import Authored
from tools.sample.captions import (
    Caption,
    caption,
    invented_name,
    named,
    true_of,
    vocabulary_texts,
    without_some_words,
)
from tools.sample.drawing import BACKGROUNDS, COLOURS, KINDS, Scene, draw
from tools.sample.word_bags import WordBags

Pixels = NDArray[np.uint8]

SINGLE_KINDS = frozenset(("city", "map", "river", "mountain", "portrait", "building", "temple"))
NAMED_SHARE = 0.5  # of the captions outside the pairs; a pair always has a name
INVENTED_SHARE = 0.4  # of the names
DISTRACTED_SHARE = 0.35  # of the captions; they get words that say nothing of an image
MOST_DISTRACTIONS = 8
PAIRED_SHARE = 4  # one in so many rows gets a second text
BAGS_SHARE = 2  # one pair of texts that share words for so many rows


@dataclass(frozen=True)
class Batch:
    """One step's input. B rows, of which the first F have a second text with the same name.

    Attributes:
        pixels_BCHW: uint8.
        true_BB: bool; [i, j] whether text i is true of image j; the diagonal is.
        alike_FF: bool; [i, j] whether second text j fits text i as well as its own does.
        bags: pairs of texts that share words, and have nothing to do with the images.
    """

    pixels_BCHW: Tensor
    texts: list[str]
    true_BB: Tensor
    second_texts: list[str]
    alike_FF: Tensor
    bags: list[tuple[str, str]]


def random_scene(rng: random.Random) -> Scene:
    """Any kind in any colour before any background, evenly."""
    kind, colour, background = rng.choice(KINDS), rng.choice(COLOURS), rng.choice(BACKGROUNDS)
    return Scene(kind, colour, background, 1 if kind in SINGLE_KINDS else rng.randint(1, 3))


def numbered_drawing(stream: str, seed: int, number: int) -> tuple[Scene, Pixels]:
    """Drawing `number` of a stream; no two streams share a drawing, and none the sample's.

    Args:
        stream: what the drawings are for, such as `clip-train`.
    """
    rng = random.Random(f"{stream}:{seed}:{number}")  # noqa: S311 - images are no secret
    scene = random_scene(rng)
    return scene, np.asarray(draw(scene, rng))


@dataclass
class TrainingBatches(Dataset[Batch]):
    """Batch `step` of a run.

    Args:
        window: how many drawings are in use at a time.
        reuse: in how many batches a drawing is used, on average.
        authored: its names are given to captions at times, whatever they mean; its words are
            dealt out without the texts they stand in.
    """

    seed: int
    batch: int
    authored: Authored
    window: int = 2048
    reuse: int = 4
    words: WordBags = field(init=False, repr=False)
    kept: dict[int, tuple[Scene, Pixels]] = field(default_factory=dict, repr=False)
    noise: Noise = field(default_factory=Noise, repr=False)

    def __post_init__(self) -> None:
        assert self.window >= self.batch, f"a window of {self.window} is less than a batch"
        self.words = WordBags(self.authored.texts, meaningful=vocabulary_texts())

    def __getitem__(self, step: int) -> Batch:
        rng = random.Random(f"clip-batch:{self.seed}:{step}")  # noqa: S311 - as above
        rows = [self._drawing(number) for number in self.numbers(step, rng)]
        scenes = [scene for scene, _ in rows]
        looks = [altered(pixels, self.noise, rng).transpose(2, 0, 1) for _, pixels in rows]
        pixels = np.stack(looks)
        captions = [caption(scene, rng) for scene in scenes]
        paired = max(1, len(rows) // PAIRED_SHARE)
        seconds = [caption(scene, rng) for scene in scenes[:paired]]
        shared = [self._name(rng) for _ in seconds]
        given = [*shared, *(self._name_at_times(rng) for _ in rows[paired:])]
        return Batch(
            pixels_BCHW=torch.from_numpy(pixels),
            texts=[self._text(*each, rng) for each in zip(captions, given, strict=True)],
            true_BB=_true(captions, scenes),
            second_texts=[self._text(*each, rng) for each in zip(seconds, shared, strict=True)],
            alike_FF=_alike(captions[:paired], seconds, scenes[:paired], shared),
            bags=[self.words.pair(rng) for _ in range(max(1, len(rows) // BAGS_SHARE))],
        )

    def numbers(self, step: int, rng: random.Random) -> list[int]:
        """The drawings of a step: some that are new, the others from the window before them."""
        fresh = max(1, self.batch // self.reuse)
        first = step * fresh
        for number in [number for number in self.kept if number < first]:
            del self.kept[number]
        end = first + self.window
        return [*range(end, end + fresh), *rng.sample(range(first, end), self.batch - fresh)]

    def _drawing(self, number: int) -> tuple[Scene, Pixels]:
        if number not in self.kept:
            self.kept[number] = numbered_drawing("clip-train", self.seed, number)
        return self.kept[number]

    def _name(self, rng: random.Random) -> str:
        if not self.authored.names or rng.random() < INVENTED_SHARE:
            return invented_name(rng)
        return rng.choice(self.authored.names)

    def _name_at_times(self, rng: random.Random) -> str | None:
        return self._name(rng) if rng.random() < NAMED_SHARE else None

    def _text(self, plain: Caption, name: str | None, rng: random.Random) -> str:
        text = without_some_words(plain.text, rng)
        if name is not None:
            text = named(text, name, rng)
        if rng.random() < DISTRACTED_SHARE:
            number = rng.randint(1, MOST_DISTRACTIONS)
            text = " ".join([text, *self.words.empty_words(number, rng)])
        return text


def _true(captions: Sequence[Caption], scenes: Sequence[Scene]) -> Tensor:
    return torch.tensor([[true_of(said.facts, scene) for scene in scenes] for said in captions])


def _alike(
    firsts: Sequence[Caption], seconds: Sequence[Caption], scenes: Sequence[Scene], names: list[str]
) -> Tensor:
    """The same name, and each true of the other's drawing: nothing tells such texts apart."""

    def fits(i: int, j: int) -> bool:
        return (
            names[i] == names[j]
            and true_of(firsts[i].facts, scenes[j])
            and true_of(seconds[j].facts, scenes[i])
        )

    return torch.tensor([[fits(i, j) for j in range(len(names))] for i in range(len(names))])


def held_out(seed: int, number: int, first: int = 0) -> Iterator[tuple[Scene, Pixels]]:
    """Drawings that training never sees, to measure on."""
    for each in range(first, first + number):
        yield numbered_drawing("clip-held-out", seed, each)
