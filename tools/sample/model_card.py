"""The card of the small CLIP, README.md in its folder, from figures.json beside it."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from mmoe.files import read_json, write_text

FIGURES, CARD_FILE = "figures.json", "README.md"

CARD = """\
# A small CLIP for the sample's drawings

A CLIP (text tower, image tower, one shared space) of {parameters:,} parameters in Hugging Face's
layout, stored in float16: {megabytes:.2f} MB. It reads English about the 24 kinds of things that the
sample draws, and sees images of 224 x 224 pixels in 49 patches, as ViT-B/32 does.

| part | size |
|---|---|
| image tower | {vision} |
| text tower | {text}, {positions} positions |
| shared space | {projection} |
| tokenizer | {vocabulary:,} entries, byte-level, from the sample's authored texts and captions |

## How it was made

`python -m tools.sample train-clip` with seed {training[seed]}: {training[steps]:,} steps of {training[batch]}
pairs ({training[pairs]:,} pairs) in {minutes:.0f} minutes, {training[pairs_per_second]:.0f} pairs a second,
{training[precision]}, on {training[machine]}. The loss fell from {training[first_loss]:.2f} to
{training[last_loss]:.2f}.

- Images are drawn while it trains, from seeds that the sample does not use, and altered (shifts, crops,
  brightness, noise). No image and no mention of the sample is trained on; only the tokenizer's merges are
  counted on its texts.
- Captions are put together from the drawing's kind, colour, background and number, in many wordings,
  with the nouns that a knowledge base would use and with topics that go with a kind. More than half
  carry a name chosen at random, invented or one of the sample's, that has nothing to do with the image,
  so that a text with a name is still understood.
- Contrastive loss in both directions. A caption that is also true of another image in the batch is no
  negative there. A second, smaller loss pulls together texts with the same name, so that names stay apart.
- A third loss pulls together texts of random words that share two to five of them. The words are drawn at
  random from the vocabulary of the sample's texts; no fact, no sentence and no pair of its texts is trained
  on, only that texts with the same rare words belong together.

## Figures

Measured on drawings and texts that training never saw, with the stored float16 weights.

| task | accuracy | chance | trials |
|---|---|---|---|
{rows}

The kind is asked for among all 24. Colour, background and number are asked for with the kind told. The
probe is a ridge regression on frozen states.

## Limits

- It knows these drawings and nothing else: photographs, faces and places mean nothing to it.
- Left and right are not in its captions and not learned.
- Words outside its captions have no meaning: texts are alike where they share them, and synonyms are as far
  apart as any two words. A name tells texts apart; it says nothing about an image.
- Longer texts than 50 tokens were not trained on.
- The same command on the same machine gives nearly the same weights; to the bit only in float32 on
  one thread.

Licence: CC0 1.0.
"""

ROWS = (
    ("zero_shot", "kind", "kind, zero-shot"),
    ("zero_shot", "colour", "colour, zero-shot"),
    ("zero_shot", "background", "background, zero-shot"),
    ("zero_shot", "count", "number of things, zero-shot"),
    ("zero_shot", "caption_among_100", "own caption among 100, all traits stated"),
    ("zero_shot", "varied_caption_among_100", "own caption among 100, worded as in training"),
    (
        "zero_shot",
        "words_shared_among_100",
        "text with which a text shares 2 to 5 words, among 100",
    ),
    ("probe", "kind_from_mean_patch", "kind, probe of the mean patch state"),
    ("probe", "kind_from_class_state", "kind, probe of the class state"),
)


def write_card(folder: Path) -> None:
    """Writes README.md from the folder's figures.json and config.json.

    Raises:
        DataError: if one of the two is missing or is not JSON.
    """
    figures, config = read_json(folder / FIGURES), read_json(folder / "config.json")
    stored = (file for file in folder.iterdir() if file.name != CARD_FILE)
    card = CARD.format(
        **figures["model"],
        training=figures["training"],
        minutes=figures["training"]["seconds"] / 60,
        megabytes=sum(file.stat().st_size for file in stored) / 1e6,
        vision=_tower(config["vision_config"]),
        text=_tower(config["text_config"]),
        positions=config["text_config"]["max_position_embeddings"],
        projection=config["projection_dim"],
        rows="\n".join(_row(figures[section][key], title) for section, key, title in ROWS),
    )
    write_text(folder / CARD_FILE, card)


def machine_name() -> str:
    """Processor and number of cores, as the card names them."""
    return f"{os.cpu_count()} cores of {_processor()}"


def _processor(information: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's own name where Linux tells it, else its architecture."""
    if information.exists():
        for line in information.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _tower(config: dict[str, Any]) -> str:
    return (
        f"{config['num_hidden_layers']} layers, {config['hidden_size']} wide, "
        f"{config['num_attention_heads']} heads, inner width {config['intermediate_size']}"
    )


def _row(figure: dict[str, Any], title: str) -> str:
    cells = (title, f"{figure['accuracy']:.1%}", f"{figure['chance']:.1%}", f"{figure['number']:,}")
    return f"| {' | '.join(cells)} |"
