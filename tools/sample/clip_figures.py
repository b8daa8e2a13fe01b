"""What the small CLIP understands, measured on drawings that training never saw."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from tools.sample.authored import read_authored
from tools.sample.captions import Facts, caption, counted, full_caption, true_of, with_article
from tools.sample.drawing import BACKGROUND_PHRASES, BACKGROUNDS, COLOURS, KIND_NOUNS, KINDS, Scene
from tools.sample.train_data import SINGLE_KINDS, held_out
from tools.sample.word_bags import WordBags

MEASURED, PROBE_TRAINING = 1500, 2400  # drawings
CHOICES = 100  # captions of which one is to be found
RIDGE = 1e-2  # of the mean squared size of a feature
BATCH = 128


@dataclass(frozen=True)
class Seen:
    """Drawings as the model sees them.

    Attributes:
        images_NP: float, unit length; in the space shared with texts.
        patches_NC: float; the mean patch state.
        classes_NC: float; the class state.
    """

    scenes: list[Scene]
    images_NP: Tensor
    patches_NC: Tensor
    classes_NC: Tensor


def measure(
    folder: Path, seed: int = 0, measured: int = MEASURED, probe_training: int = PROBE_TRAINING
) -> dict[str, Any]:
    """All figures of the model in a folder.

    Args:
        seed: of the drawings.
    Returns:
        Sections `model`, `zero_shot` and `probe`; a figure of the last two holds `accuracy`,
        `chance` and `number`.
    """
    model, processor = load_clip(folder)
    seen = see(model, processor, seed, measured)
    others = see(model, processor, seed, probe_training, first=measured)
    return {
        "model": {
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "vocabulary": len(processor.tokenizer),
        },
        "zero_shot": zero_shot(seen, lambda texts: read(model, processor, texts), seed),
        "probe": {
            "kind_from_mean_patch": _probe(others, seen, "patches_NC"),
            "kind_from_class_state": _probe(others, seen, "classes_NC"),
        },
    }


def load_clip(folder: Path) -> tuple[Any, Any]:
    """Model (float32) and processor of a folder, without a look at the network."""
    import transformers

    hf: Any = transformers
    hf.utils.logging.disable_progress_bar()
    model = hf.CLIPModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    return model.eval(), hf.CLIPProcessor.from_pretrained(folder, local_files_only=True)


@torch.inference_mode()
def see(model: Any, processor: Any, seed: int, number: int, first: int = 0) -> Seen:
    """Shows the model held-out drawings."""
    scenes, parts = [], []
    for start in range(first, first + number, BATCH):
        amount = min(BATCH, first + number - start)
        batch = list(held_out(seed, amount, start))
        scenes += [scene for scene, _ in batch]
        drawings = [Image.fromarray(pixels) for _, pixels in batch]
        pixels = processor.image_processor(images=drawings, return_tensors="pt")["pixel_values"]
        out = model.get_image_features(pixel_values=pixels)
        states = out.last_hidden_state
        parts.append((out.pooler_output, states[:, 1:].mean(dim=1), states[:, 0]))
    images, patches, classes = (torch.cat(part) for part in zip(*parts, strict=True))
    return Seen(scenes, functional.normalize(images, dim=-1), patches, classes)


@torch.inference_mode()
def read(model: Any, processor: Any, texts: Sequence[str]) -> Tensor:
    """Texts in the shared space, float [N, P], of unit length."""
    tokens = processor.tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    out = model.get_text_features(**tokens)
    return functional.normalize(out.pooler_output, dim=-1)


def zero_shot(
    seen: Seen, reads: Callable[[Sequence[str]], Tensor], seed: int
) -> dict[str, dict[str, float]]:
    """Which of several texts lies nearest to an image.

    The kind is asked for alone; colour, background and count of an image whose kind is told.
    """
    drawn_KP, typed_KP = (reads([form(kind) for kind in KINDS]) for form in (_drawn, _typed))
    kinds_KP = functional.normalize(drawn_KP + typed_KP, dim=-1)
    found = [KINDS[i] for i in (seen.images_NP @ kinds_KP.T).argmax(dim=1).tolist()]
    right = [kind == scene.kind for kind, scene in zip(found, seen.scenes, strict=True)]
    return {
        "kind": _figure(right, 1 / len(KINDS)),
        "colour": _choice(seen, reads, COLOURS, "colour", _coloured),
        "background": _choice(seen, reads, BACKGROUNDS, "background", _placed),
        "count": _choice(seen, reads, (1, 2, 3), "count", _numbered),
        f"caption_among_{CHOICES}": _among_captions(seen, reads),
        f"varied_caption_among_{CHOICES}": _among_captions(seen, reads, seed),
        f"words_shared_among_{CHOICES}": _among_bags(len(seen.scenes), reads, seed),
    }


def _drawn(kind: str) -> str:
    return f"a drawing of {with_article(KIND_NOUNS[kind][0])}"


def _typed(kind: str) -> str:
    return f"Type: {KIND_NOUNS[kind][0]}."


def _coloured(kind: str, colour: Any) -> str:
    return with_article(f"{colour} {KIND_NOUNS[kind][0]}")


def _placed(kind: str, background: Any) -> str:
    return f"{with_article(KIND_NOUNS[kind][0])} {BACKGROUND_PHRASES[background][0]}"


def _numbered(kind: str, count: Any) -> str:
    return counted(count, None, kind)


def _choice(
    seen: Seen,
    reads: Callable[[Sequence[str]], Tensor],
    values: Sequence[Any],
    trait: str,
    form: Callable[[str, Any], str],
) -> dict[str, float]:
    """How often the right value of a trait is found; a kind that is always single has no count."""
    texts_KVP = torch.stack([reads([form(kind, value) for value in values]) for kind in KINDS])
    right = []
    for scene, image_P in zip(seen.scenes, seen.images_NP, strict=True):
        if trait == "count" and scene.kind in SINGLE_KINDS:
            continue
        nearest = int((texts_KVP[KINDS.index(scene.kind)] @ image_P).argmax())
        right.append(values[nearest] == getattr(scene, trait))
    return _figure(right, 1 / len(values))


def _among_captions(
    seen: Seen, reads: Callable[[Sequence[str]], Tensor], seed: int | None = None
) -> dict[str, float]:
    """Whether an image's own caption is nearest; captions that are also true of it do not compete.

    Args:
        seed: of captions worded as in training; None for plain sentences that state everything.
    """
    rng = random.Random(f"clip-figures:{seed}")  # noqa: S311 - captions are no secret
    right = []
    for start in range(0, len(seen.scenes) - CHOICES + 1, CHOICES):
        scenes = seen.scenes[start : start + CHOICES]
        captions = [full_caption(s) if seed is None else caption(s, rng) for s in scenes]
        texts_BP = reads([said.text for said in captions])
        cosines_BB = seen.images_NP[start : start + CHOICES] @ texts_BP.T
        also_BB = _also_true([said.facts for said in captions], scenes)
        nearest = cosines_BB.masked_fill(also_BB, -torch.inf).argmax(dim=1)
        right += (nearest == torch.arange(len(scenes))).tolist()
    return _figure(right, 1 / CHOICES)


def _among_bags(
    number: int, reads: Callable[[Sequence[str]], Tensor], seed: int
) -> dict[str, float]:
    """Whether the nearest text is the one that shares words with a text, and with it alone by plan."""
    rng = random.Random(f"clip-bags:{seed}")  # noqa: S311 - words are no secret
    bags = WordBags(read_authored().texts)
    right = []
    for _ in range(number // CHOICES):
        firsts, seconds = zip(*(bags.pair(rng) for _ in range(CHOICES)), strict=True)
        nearest = (reads(firsts) @ reads(seconds).T).argmax(dim=1)
        right += (nearest == torch.arange(CHOICES)).tolist()
    return _figure(right, 1 / CHOICES)


def _also_true(facts: Sequence[Facts], scenes: Sequence[Scene]) -> Tensor:
    """bool [images, captions]; true of the image, but not its own."""
    rows = [
        [i != j and true_of(said, scene) for j, said in enumerate(facts)]
        for i, scene in enumerate(scenes)
    ]
    return torch.tensor(rows)


def _probe(training: Seen, test: Seen, features: str) -> dict[str, float]:
    """Accuracy of a ridge regression from frozen states to kinds, solved in closed form."""
    known_NC, new_MC = (getattr(each, features).double() for each in (training, test))
    mean_C, deviation_C = known_NC.mean(dim=0), known_NC.std(dim=0).clamp_min(1e-6)
    known_NC, new_MC = ((each - mean_C) / deviation_C for each in (known_NC, new_MC))
    target_N = torch.tensor([KINDS.index(scene.kind) for scene in training.scenes])
    target_NK = functional.one_hot(target_N, len(KINDS)).double() - 1 / len(KINDS)
    gram_CC = known_NC.T @ known_NC
    ridge_CC = RIDGE * len(known_NC) * torch.eye(len(gram_CC), dtype=torch.float64)
    weights_CK = torch.linalg.solve(gram_CC + ridge_CC, known_NC.T @ target_NK)
    found = [KINDS[i] for i in (new_MC @ weights_CK).argmax(dim=1).tolist()]
    right = [kind == scene.kind for kind, scene in zip(found, test.scenes, strict=True)]
    return _figure(right, 1 / len(KINDS))


def _figure(right: Sequence[bool], chance: float) -> dict[str, float]:
    """An accuracy beside chance and the number of trials."""
    assert right, "nothing was measured"
    return {
        "accuracy": round(sum(right) / len(right), 4),
        "chance": round(chance, 4),
        "number": len(right),
    }
