"""CLIP."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from transformers import AutoImageProcessor

from mmoe.encoders.base import Encoded, Encoder, pretrained
from mmoe.encoders.source import ModelSource


class ClipEncoder(Encoder):
    """CLIP: token features after the final LayerNorm, patch features with the class token first.

    Pooled embeddings are the projected ones, not normalised.
    """

    sees_images, joint = True, True

    def __init__(self, source: ModelSource, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(source, device, dtype)
        # The backend is named: without it the resize differs with whether torchvision is installed.
        self.processor = pretrained(AutoImageProcessor, source.path, backend="pil")

    @property
    def text_limit(self) -> int:
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def text_widths(self) -> tuple[int, int]:
        config = self.model.config
        return config.text_config.hidden_size, config.projection_dim

    @property
    def image_widths(self) -> tuple[int, int]:
        config = self.model.config
        return config.vision_config.hidden_size, config.projection_dim

    @torch.inference_mode()
    def encode_texts(self, token_ids: Sequence[Sequence[int]]) -> Encoded:
        ids_BL, lengths_B = self._padded(token_ids)
        mask_BL = torch.arange(ids_BL.shape[1], device=self.device) < lengths_B[:, None]
        out = self.model.get_text_features(input_ids=ids_BL, attention_mask=mask_BL.long())
        return Encoded(out.last_hidden_state, lengths_B, out.pooler_output)

    @torch.inference_mode()
    def encode_images(self, images: Sequence[Image.Image]) -> Encoded:
        pixels = self.processor(images=list(images), return_tensors="pt")["pixel_values"]
        pixels = pixels.to(self.device, self.model.dtype)
        out = self.model.get_image_features(pixel_values=pixels)
        patches_BLC = out.last_hidden_state
        lengths_B = torch.full((len(images),), patches_BLC.shape[1], device=self.device)
        return Encoded(patches_BLC, lengths_B, out.pooler_output)
