"""The features of a batch of mentions or entities, and their way into the matcher."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmoe.model.packed import Packed
from mmoe.model.token_linear import TokenLinear


@dataclass(frozen=True)
class FeatureWidths:
    """Widths of the cached features; image widths are 0 where there are no image features.

    Attributes:
        text: C of a token feature.
        text_pooled: P of the pooled text, surface form and name embeddings.
        image: C of a patch feature.
        image_pooled: P of the pooled image embedding.
        joint: whether pooled texts and images share a space.
        padded: whether texts hold their padding up to the longest, and missing images the encoder's states
            of an all-zero one (encode.keep_padding).
    """

    text: int
    text_pooled: int
    image: int
    image_pooled: int
    joint: bool
    padded: bool = False


@dataclass(frozen=True)
class Strings:
    """The records' own strings, for matchers that read them.

    Attributes:
        names: the mentions' surface forms, or the entities' names.
        texts: the mentions' contexts, or the entities' attributes.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]

    def select(self, rows: Tensor) -> Strings:
        """Those at `rows`."""
        at = rows.tolist()
        return Strings(tuple(self.names[i] for i in at), tuple(self.texts[i] for i in at))


@dataclass(frozen=True)
class SideFeatures:
    """Cached features of B mentions or entities; `computable` before a matcher gets them.

    Attributes:
        text: token features.
        text_pooled_BP: pooled embedding of the whole text.
        name_pooled_BP: pooled embedding of the surface form or the name alone.
        image: patch features; a row without an image has one placeholder token. None where the store
            has no images at all.
        image_pooled_BP: pooled image embedding; rows without an image hold anything finite.
        has_image_B: bool.
        strings: surface form and context, or name and attributes; None where the caller has none.
        base: the same of the untuned encoder, for matchers that read both; None where there is none.
    """

    text: Packed
    text_pooled_BP: Tensor
    name_pooled_BP: Tensor
    image: Packed | None = None
    image_pooled_BP: Tensor | None = None
    has_image_B: Tensor | None = None
    strings: Strings | None = None
    base: SideFeatures | None = None

    def __len__(self) -> int:
        return len(self.text_pooled_BP)

    def computable(self, device: torch.device) -> SideFeatures:
        """The same on a device and as float32; the store's float16 is for keeping, not for computing."""

        def floats(values: Tensor) -> Tensor:
            return values.to(device, torch.float32)

        def packed(tokens: Packed) -> Packed:
            return Packed(floats(tokens.values_TC), tokens.lengths_B.to(device))

        image, pooled, has = self.image, self.image_pooled_BP, self.has_image_B
        return SideFeatures(
            packed(self.text),
            floats(self.text_pooled_BP),
            floats(self.name_pooled_BP),
            None if image is None else packed(image),
            None if pooled is None else floats(pooled),
            None if has is None else has.to(device),
            self.strings,
            None if self.base is None else self.base.computable(device),
        )


@dataclass(frozen=True)
class Stem:
    """Features ready for the units: coarse [B, C] and fine (packed, width C) of each modality."""

    features: SideFeatures
    text_coarse_BC: Tensor
    text_fine: Packed
    image_coarse_BD: Tensor | None
    image_fine: Packed | None

    @classmethod
    def of(cls, features: SideFeatures, text_stem: TextStem, image_stem: ImageStem | None) -> Stem:
        """Features through both stems; without images where no unit needs them."""
        coarse, fine = text_stem(features.text_pooled_BP, features.text.values_TC)
        text_fine = features.text.with_values(fine)
        if image_stem is None:
            return cls(features, coarse, text_fine, None, None)
        assert features.image is not None
        image_coarse, image_fine = image_stem(features.image_pooled_BP, features.image)
        return cls(
            features, coarse, text_fine, image_coarse, features.image.with_values(image_fine)
        )


class TextStem(nn.Module):
    """LayerNorms of pooled embedding and token features; a linear layer where their widths differ."""

    def __init__(self, widths: FeatureWidths, dropout: float) -> None:
        super().__init__()
        same = widths.text == widths.text_pooled
        self.fit = nn.Identity() if same else nn.Linear(widths.text_pooled, widths.text)
        self.coarse_norm = nn.LayerNorm(widths.text)
        self.fine_norm = nn.LayerNorm(widths.text)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pooled_BP: Tensor, tokens_TC: Tensor) -> tuple[Tensor, Tensor]:
        coarse, fine = self.coarse_norm(self.fit(pooled_BP)), self.fine_norm(tokens_TC)
        return self.dropout(coarse), self.dropout(fine)


class ImageStem(nn.Module):
    """Projections of pooled image and patches to the shared width, and LayerNorms.

    What comes out for a row without an image is not to be used: see mmoe/model/neutral.py.

    Source: MMoE §3.3 with the released widths; MIMIC and M3EL have the same.
    """

    def __init__(self, widths: FeatureWidths, dim: int, dropout: float) -> None:
        super().__init__()
        self.coarse = nn.Linear(widths.image_pooled, dim)
        self.fine = TokenLinear(widths.image, dim)
        self.coarse_norm, self.fine_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pooled_BP: Tensor, patches: Packed) -> tuple[Tensor, Tensor]:
        coarse = self.coarse_norm(self.coarse(pooled_BP))
        fine = self.fine_norm(self.fine(patches.values_TC))
        return self.dropout(coarse), self.dropout(fine)


def unit_vectors(vectors: Tensor) -> Tensor:
    """Rows divided by their Euclidean norm."""
    return functional.normalize(vectors, dim=-1)
