"""The kinds of encoders: CLIP and paired towers, SigLIP 1 and 2, and text-only ones such as BERT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoImageProcessor

from mmoe.encoders.base import Encoded, Encoder, Prepared, pretrained
from mmoe.encoders.sentence import SentenceSettings
from mmoe.encoders.source import ModelSource

# An image whose longer side is more often the shorter one loses its ends, where a square is cut of it: its
# shorter side would be enlarged to the square's, and the longer one as many times.
LONGEST = 32


class ClipEncoder(Encoder):
    """CLIP, or a text model paired with a vision model (transformers' VisionTextDualEncoder).

    Token features are the text tower's last states, CLIP's after its final LayerNorm; patch features the
    vision tower's, the class token first. Pooled embeddings are the projected ones, not normalised.
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

    @property
    def image_side(self) -> int:
        return int(self.model.config.vision_config.image_size)

    def _encode_ids(self, ids_BL: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:
        out = self.model.get_text_features(input_ids=ids_BL, attention_mask=mask_BL.long())
        return out.last_hidden_state, out.pooler_output

    def prepare_image(self, image: Image.Image) -> Prepared:
        cuts = getattr(self.processor, "do_center_crop", False)
        shown = _middle(image) if cuts else image
        prepared: Prepared = self.processor(images=[shown], return_tensors="pt")
        return prepared

    def encode_prepared(self, images: Sequence[Prepared]) -> Encoded:
        inputs = {name: torch.cat([image[name] for image in images]) for name in images[0]}
        return self._encode_inputs(inputs)

    def encode_no_image(self) -> Encoded:
        side = self.image_side
        return self._encode_inputs({"pixel_values": torch.zeros(1, 3, side, side)})

    def _encode_inputs(self, inputs: dict[str, Any]) -> Encoded:
        inputs = {name: value.to(self.device) for name, value in inputs.items()}
        inputs["pixel_values"] = inputs["pixel_values"].to(self.model.dtype)
        out = self.model.get_image_features(**inputs)
        patches_BLC = out.last_hidden_state
        return Encoded(patches_BLC, self._patch_counts(inputs, patches_BLC), out.pooler_output)

    def _patch_counts(self, inputs: dict[str, Any], patches_BLC: Tensor) -> Tensor:  # noqa: ARG002
        return torch.full(patches_BLC.shape[:1], patches_BLC.shape[1], device=self.device)


def _middle(image: Image.Image) -> Image.Image:
    """The image, or as much around its middle as its longer side may have."""
    short, long = sorted(image.size)
    cut = max(0, long - LONGEST * short) // 2
    across, down = (cut, 0) if image.width == long else (0, cut)
    return image.crop((across, down, image.width - across, image.height - down)) if cut else image


class SiglipEncoder(ClipEncoder):
    """SigLIP: no class token; pools a text at its last position, so texts are padded to the full length.

    SigLIP 2 of a fixed size is such a one too, with another tokenizer.
    """

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


class NaflexEncoder(SiglipEncoder):
    """SigLIP 2 that keeps an image's proportions (NaFlex): its number of patches varies with them."""

    @property
    def image_side(self) -> int:
        return self._patches_a_side * int(self.processor.patch_size)

    @property
    def _patches_a_side(self) -> int:
        return int(self.processor.max_num_patches**0.5)

    def encode_no_image(self) -> Encoded:
        side, width = self._patches_a_side, 3 * int(self.processor.patch_size) ** 2
        inputs = {
            "pixel_values": torch.zeros(1, side * side, width),
            "pixel_attention_mask": torch.ones(1, side * side, dtype=torch.int32),
            "spatial_shapes": torch.tensor([[side, side]]),
        }
        return self._encode_inputs(inputs)

    def _patch_counts(self, inputs: dict[str, Any], patches_BLC: Tensor) -> Tensor:  # noqa: ARG002
        counts: Tensor = inputs["pixel_attention_mask"].sum(dim=1)
        return counts


class TextOnlyEncoder(Encoder):
    """A text model such as BERT, or the folder of a sentence-transformers model, which names its pooling.

    Without that the pooled embedding is the mean over all tokens, special ones included. It is not
    normalised, whether a folder asks for that or not: what compares it takes cosines.
    """

    sees_images, joint = False, False

    def __init__(self, source: ModelSource, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(source, device, dtype)
        settings = SentenceSettings.read(source)
        self.pooling, self.prompts = settings.pooling, settings.prompts

    @property
    def text_limit(self) -> int:
        return int(self.model.config.max_position_embeddings)

    @property
    def text_widths(self) -> tuple[int, int]:
        width = int(self.model.config.hidden_size)
        return width, width

    def _encode_ids(self, ids_BL: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:
        tokens_BLC = self.model(input_ids=ids_BL, attention_mask=mask_BL.long()).last_hidden_state
        return tokens_BLC, _pooled(tokens_BLC, mask_BL, self.pooling)


def _pooled(tokens_BLC: Tensor, mask_BL: Tensor, pooling: str) -> Tensor:
    """Pools texts that are padded at the right; the mask marks real tokens."""
    if pooling == "cls":
        return tokens_BLC[:, 0]
    if pooling == "lasttoken":
        rows_B = torch.arange(len(tokens_BLC), device=tokens_BLC.device)
        return tokens_BLC[rows_B, mask_BL.sum(dim=1) - 1]
    if pooling == "max":
        return tokens_BLC.masked_fill(~mask_BL[..., None], -torch.inf).amax(dim=1)
    summed_BP = (tokens_BLC * mask_BL[..., None]).sum(dim=1, dtype=torch.float32)
    return summed_BP / mask_BL.sum(dim=1, keepdim=True)
