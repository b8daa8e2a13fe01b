"""SigLIP."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mmoe.encoders.base import Encoded, kept
from mmoe.encoders.clip import ClipEncoder


class SiglipEncoder(ClipEncoder):
    """SigLIP: no class token; pools a text at its last position, so texts are padded to the full length."""

    @property
    def text_widths(self) -> tuple[int, int]:
        config = self.model.config.text_config
        return config.hidden_size, config.projection_size or config.hidden_size

    @property
    def image_widths(self) -> tuple[int, int]:
        width = self.model.config.vision_config.hidden_size
        return width, width

    @torch.inference_mode()
    def encode_texts(
        self, token_ids: Sequence[Sequence[int]], padded_to: int | None = None
    ) -> Encoded:
        ids_BL, lengths_B = self._padded(token_ids, self.text_limit)
        out = self.model.get_text_features(input_ids=ids_BL)
        return Encoded(out.last_hidden_state, kept(lengths_B, padded_to), out.pooler_output)
