"""The kinds of encoders: CLIP, SigLIP, and text-only ones such as BERT and MiniLM."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor
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

    def _encode_ids(self, ids_BL: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:
        out = self.model.get_text_features(input_ids=ids_BL, attention_mask=mask_BL.long())
        return out.last_hidden_state, out.pooler_output

    @torch.inference_mode()
    def encode_images(self, images: Sequence[Image.Image]) -> Encoded:
        pixels = self.processor(images=list(images), return_tensors="pt")["pixel_values"]
        return self._encode_pixels(pixels.to(self.device, self.model.dtype))

    @torch.inference_mode()
    def encode_no_image(self) -> Encoded:
        side = self.model.config.vision_config.image_size
        return self._encode_pixels(
            torch.zeros(1, 3, side, side, device=self.device, dtype=self.model.dtype)
        )

    def _encode_pixels(self, pixels: Tensor) -> Encoded:
        out = self.model.get_image_features(pixel_values=pixels)
        patches_BLC = out.last_hidden_state
        lengths_B = torch.full((len(pixels),), patches_BLC.shape[1], device=self.device)
        return Encoded(patches_BLC, lengths_B, out.pooler_output)


class SiglipEncoder(ClipEncoder):
    """SigLIP: no class token; pools a text at its last position, so texts are padded to the full length."""

    sees_padding = True

    @property
    def text_widths(self) -> tuple[int, int]:
        config = self.model.config.text_config
        return config.hidden_size, config.projection_size or config.hidden_size

    @property
    def image_widths(self) -> tuple[int, int]:
        width = self.model.config.vision_config.hidden_size
        return width, width

    def _encode_ids(self, ids_BL: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        out = self.model.get_text_features(input_ids=ids_BL)
        return out.last_hidden_state, out.pooler_output


class TextOnlyEncoder(Encoder):
    """A BERT-like encoder; the pooled embedding is the mean over all tokens, special ones included."""

    sees_images, joint = False, False

    @property
    def text_limit(self) -> int:
        return int(self.model.config.max_position_embeddings)

    @property
    def text_widths(self) -> tuple[int, int]:
        width = int(self.model.config.hidden_size)
        return width, width

    def _encode_ids(self, ids_BL: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:
        tokens_BLC = self.model(input_ids=ids_BL, attention_mask=mask_BL.long()).last_hidden_state
        summed_BP = (tokens_BLC * mask_BL[..., None]).sum(dim=1, dtype=torch.float32)
        return tokens_BLC, summed_BP / mask_BL.sum(dim=1, keepdim=True)
