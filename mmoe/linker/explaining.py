"""What of a mention carried a score: its fall without one word, or without one cell of the image."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import get_ident
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageStat
from torch import Tensor, nn

from mmoe.linker.queries import Query
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import Matcher, SumOfUnits
from mmoe.model.router import Routing, TopKRouter

GRID = 7  # cells a side of an image
MOST_WORDS = 48  # of a context, around the mention
WORD = re.compile(r"\w+")
CROSS = "cross"  # the unit that routes both sides, text first
SIDE_OF = {"text": "text", "vision": "image"}
Parts = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Explanation:
    """What carried an entity's scores.

    The part of a word, or of a cell of the image, is by how much a score falls without it: the mention is
    encoded and scored once more without the word, or with the cell in the image's mean colour. Parts may be
    negative, and do not add up to the score.

    Attributes:
        words: spans of characters in the context, W of them.
        text: parts of the words, [W], by unit; `overall` is the score that puts entities in order.
        image: parts of the cells, [7, 7], as `text`; empty without an image.
        tokens: the mention's text as the encoder reads it, L pieces.
        text_experts: the experts to which each token went, [L, k], by unit; empty for a matcher without any.
        image_experts: those of each patch, [rows, columns, k], by unit.
    """

    words: tuple[tuple[int, int], ...]
    text: Parts
    image: Parts
    tokens: tuple[str, ...]
    text_experts: Parts
    image_experts: Parts

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        sides = ("text", "image", "text_experts", "image_experts")
        found = {side: {k: v.tolist() for k, v in getattr(self, side).items()} for side in sides}
        return {"words": self.words, "tokens": self.tokens} | found


@dataclass(frozen=True)
class Variants:
    """A mention, then the same without each word, then without each cell of its image."""

    queries: list[Query]
    words: tuple[tuple[int, int], ...]
    cells: int

    @classmethod
    def of(cls, query: Query, image: Image.Image | None) -> Variants:
        """Those of a mention.

        Args:
            image: its own, decoded; None without one.
        """
        words, context = words_around(query.context, query.surface_form), query.context
        without = [context[:start] + context[end:] for start, end in words]
        hidden = [] if image is None else list(without_each_cell(image))
        whole = replace(query, image=image)
        queries = [
            whole,
            *(replace(whole, context=each) for each in without),
            *(replace(whole, image=each) for each in hidden),
        ]
        return cls(queries, words, len(hidden))

    def parts(self, scores_V: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Of the scores [V] of all variants: parts of the words [W] and of the cells [7, 7]."""
        fall = (scores_V[0] - scores_V[1:]).astype(np.float64)
        words, cells = np.split(fall, [len(self.words)])
        return words, cells.reshape(GRID, GRID) if self.cells else None


def words_around(context: str, surface_form: str) -> tuple[tuple[int, int], ...]:
    """The spans of a context's words; of a long one those around the mention."""
    spans = [match.span() for match in WORD.finditer(context)]
    place = max(0, context.casefold().find(surface_form.casefold()))
    before = sum(end <= place for _, end in spans)
    first = max(0, min(before - MOST_WORDS // 2, len(spans) - MOST_WORDS))
    return tuple(spans[first : first + MOST_WORDS])


def without_each_cell(image: Image.Image) -> Iterator[Image.Image]:
    """The image with one cell after another in its mean colour, row by row."""
    mean = tuple(round(each) for each in ImageStat.Stat(image).mean)
    edges = [
        [round(i * side / GRID) for i in range(GRID + 1)] for side in (image.width, image.height)
    ]
    for row in range(GRID):
        for column in range(GRID):
            hidden = image.copy()
            box = edges[0][column], edges[1][row], edges[0][column + 1], edges[1][row + 1]
            hidden.paste(mean, box)
            yield hidden


@torch.inference_mode()
def experts_of(
    matcher: Matcher, mention: SideFeatures, num_prompts: int = 0
) -> tuple[Parts, Parts]:
    """The experts that the last router of each unit chose for a mention's tokens and for its patches.

    Args:
        mention: a single one.
        num_prompts: its tokens begin, and its patches end, with so many learned prompts, which are left out.
    """
    num_tokens = len(mention.text.values_TC)
    has_image = mention.has_image_B is not None and bool(mention.has_image_B[0])
    num_patches = len(mention.image.values_TC) if mention.image is not None and has_image else 0
    text: dict[str, NDArray[Any]] = {}
    image: dict[str, NDArray[Any]] = {}
    with _routed(matcher) as routes:
        matcher.encode_mentions(mention)
    for unit, calls in routes.items():
        sides = [side for side in ("text", "image") if unit == CROSS or SIDE_OF.get(unit) == side]
        for side, experts_Tk in zip(sides, calls, strict=False):
            own = experts_Tk[1:].numpy()  # behind the pooled state
            if side == "text" and len(own) == num_tokens:
                text[unit] = own[num_prompts:]
            elif side == "image" and num_patches and len(own) == num_patches:
                image[unit] = _as_grid(own[: num_patches - num_prompts])
    return text, image


@contextmanager
def _routed(matcher: Matcher) -> Iterator[dict[str, list[Tensor]]]:
    """What the last router of each unit chooses meanwhile, one call after another."""
    found: dict[str, list[Tensor]] = {}
    handles, ours = [], get_ident()  # other threads may use the matcher meanwhile
    units = matcher.units if isinstance(matcher, SumOfUnits) else nn.ModuleDict()
    for name, unit in units.items():
        routers = [each for each in unit.modules() if isinstance(each, TopKRouter)]
        if not routers:
            continue
        calls = found.setdefault(name, [])

        def note(_: nn.Module, __: Any, routing: Routing, calls: list[Tensor] = calls) -> None:
            if get_ident() == ours:
                calls.append(routing.experts_Tk.cpu())

        handles.append(routers[-1].register_forward_hook(note))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _as_grid(experts_Pk: NDArray[Any]) -> NDArray[Any]:
    """[rows, columns, k] of patches that fill a square, with or without a first one for the whole image; a
    single row of others.
    """
    num, k = experts_Pk.shape
    side = math.isqrt(num)
    if num - side * side > 1:
        return experts_Pk[None]
    return experts_Pk[num - side * side :].reshape(side, side, k)
