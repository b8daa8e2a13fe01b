"""The patches of CLIP's image tower for training on a CPU: raw bytes in, one matrix product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.sample.clip import MEAN, STD

MIDDLE = 128


class PatchEmbeddings(nn.Module):
    """Does what CLIP's normalisation and patch convolution do, several times faster in bfloat16.

    The normalisation is moved into the weight, so that images stay bytes until the product.

    Args:
        embeddings: of a CLIP image tower; its parameters are shared, under the same names.
        dtype: of the product.
    Shape:
        pixels_BCHW: uint8 -> float [B, 1 + patches, width], the class state first.
    """

    def __init__(self, embeddings: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.class_embedding = embeddings.class_embedding
        self.patch_embedding = embeddings.patch_embedding
        self.position_embedding = embeddings.position_embedding
        self.side, self.dtype = int(embeddings.patch_size), dtype

    def forward(self, pixels_BCHW: Tensor, interpolate_pos_encoding: bool = False) -> Tensor:
        assert not interpolate_pos_encoding, "all drawings are of the same size"
        weight_DCHW = self.patch_embedding.weight
        mean_C11, std_C11 = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, STD))
        offset_D = (weight_DCHW * ((mean_C11 - MIDDLE / 255) / std_C11)).sum(dim=(1, 2, 3))
        scaled_DP = (weight_DCHW / (255 * std_C11)).flatten(1)
        # Around zero, where bfloat16 is finest: flipping the top bit of a byte takes 128 off it.
        pixels_BNP = (cut(pixels_BCHW, self.side) ^ MIDDLE).view(torch.int8).to(self.dtype)
        patches_BND = functional.linear(pixels_BNP, scaled_DP.to(self.dtype)) - offset_D
        classes_B1D = self.class_embedding.expand(len(pixels_BCHW), 1, -1)
        states_BND = torch.cat([classes_B1D, patches_BND], dim=1)
        positions_ND: Tensor = self.position_embedding.weight
        return states_BND + positions_ND


def cut(pixels_BCHW: Tensor, side: int) -> Tensor:
    """Square patches in rows, [B, patches, C * side * side]."""
    batch, channels, height, width = pixels_BCHW.shape
    parts = pixels_BCHW.reshape(batch, channels, height // side, side, width // side, side)
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * side * side)
