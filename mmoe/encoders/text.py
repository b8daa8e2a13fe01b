"""Text-only encoders such as BERT and MiniLM."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mmoe.encoders.base import Encoded, Encoder, kept


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

    @torch.inference_mode()
    def encode_texts(
        self, token_ids: Sequence[Sequence[int]], padded_to: int | None = None
    ) -> Encoded:
        ids_BL, lengths_B = self._padded(token_ids, padded_to)
        mask_BL = torch.arange(ids_BL.shape[1], device=self.device) < lengths_B[:, None]
        tokens_BLC = self.model(input_ids=ids_BL, attention_mask=mask_BL.long()).last_hidden_state
        summed_BP = (tokens_BLC * mask_BL[..., None]).sum(dim=1, dtype=torch.float32)
        return Encoded(tokens_BLC, kept(lengths_B, padded_to), summed_BP / lengths_B[:, None])
