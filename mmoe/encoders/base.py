"""What every frozen encoder offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from mmoe.encoders.layout import TextLayout, special_tokens
from mmoe.encoders.source import ModelSource, pinned
from mmoe.errors import FeatureStoreError
from mmoe.images import JPEG_SIDE

Prepared = Mapping[str, Tensor]  # one image as the model takes it; all begin with a dimension of 1


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of a batch.

    Attributes:
        tokens_BLC: float; token or patch features.
        lengths_B: int64; how many of the L tokens or patches of a row are real.
        pooled_BP: float; one embedding a row, in the space in which the encoder compares.
    """

    tokens_BLC: Tensor
    lengths_B: Tensor
    pooled_BP: Tensor


def pretrained(auto_class: Any, path: str, **options: Any) -> Any:
    """What a transformers class loads from a folder or the hub; a model's own code is never run."""
    name, revision = pinned(path)
    return auto_class.from_pretrained(name, trust_remote_code=False, **revision, **options)


class Encoder(ABC):
    """A frozen model with its tokenizer and, where it sees images, its image processor.

    Attributes:
        name: as params.yaml names it.
        fingerprint: changes whenever the weights or the tokenizer do.
        sees_images: whether `encode_images` may be called.
        joint: whether text and image embeddings share a space.
        sees_padding: whether its features depend on padding, so that all texts get their full length.
        prompts: what stands before every text of an entity and of a mention.
        base: the encoder before it was tuned; None for one that is not.
        tuned: the folder that says how; None for one that is not.
        num_added: tokens and patches a row that are learned prompts.
    """

    sees_images: ClassVar[bool]
    joint: ClassVar[bool]
    sees_padding: ClassVar[bool] = False
    prompts: tuple[str, str] = ("", "")
    base: Encoder | None = None
    tuned: str | None = None
    num_added: int = 0

    def __init__(self, source: ModelSource, device: torch.device, dtype: torch.dtype) -> None:
        self.name, self.device = source.name, device
        self.tokenizer: Any = pretrained(AutoTokenizer, source.path)
        model = pretrained(AutoModel, source.path, dtype=dtype, use_safetensors=True)
        self.model: Any = model.to(device).eval()
        self.fingerprint = source.fingerprint(getattr(model.config, "_commit_hash", None))

    def for_side(self, of_mentions: bool) -> Encoder:  # noqa: ARG002
        """What encodes the mentions, or the entities: with learned prompts they differ."""
        return self

    @property
    @abstractmethod
    def text_limit(self) -> int:
        """The longest text that the model takes, in tokens."""

    @property
    @abstractmethod
    def text_widths(self) -> tuple[int, int]:
        """Widths (C of a token's features, P of a pooled embedding)."""

    @property
    def image_widths(self) -> tuple[int, int]:
        """Widths (C of a patch's features, P of a pooled embedding); zeros for a text-only encoder."""
        return (0, 0)

    def encode_texts(
        self, token_ids: Sequence[Sequence[int]], padded_to: int | None = None
    ) -> Encoded:
        """Encodes laid-out texts, padded at the right. With gradients, where torch keeps them.

        Args:
            padded_to: keep the states of padding too, up to so many tokens; None: those of real tokens alone.
        """
        lengths_B = torch.tensor([len(ids) for ids in token_ids])
        width = self.text_limit if self.sees_padding else padded_to or int(lengths_B.max())
        pad = self.tokenizer.pad_token_id or 0
        rows = [[*ids, *[pad] * (width - len(ids))] for ids in token_ids]
        ids_BL, lengths_B = torch.tensor(rows, device=self.device), lengths_B.to(self.device)
        mask_BL = torch.arange(width, device=self.device) < lengths_B[:, None]
        tokens_BLC, pooled_BP = self._encode_ids(ids_BL, mask_BL)
        kept_B = lengths_B if padded_to is None else torch.full_like(lengths_B, padded_to)
        return Encoded(tokens_BLC, kept_B + self.num_added, pooled_BP)

    @abstractmethod
    def _encode_ids(self, ids_BL: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:
        """Token features [B, L, C] and pooled embeddings [B, P]; the mask marks real tokens."""

    @property
    def image_side(self) -> int:
        """Pixels a side of the square that the model sees of an image; 0 for a text-only encoder."""
        return 0

    @property
    def jpeg_side(self) -> int:
        """Pixels a side that a JPEG keeps at least when it is decoded at a smaller scale."""
        return max(JPEG_SIDE, 2 * self.image_side)

    def encode_images(self, images: Sequence[Image.Image]) -> Encoded:
        """Encodes RGB images; a text-only encoder raises FeatureStoreError."""
        return self.encode_prepared([self.prepare_image(image) for image in images])

    def prepare_image(self, image: Image.Image) -> Prepared:  # noqa: ARG002
        """An RGB image, scaled and normalised; a text-only encoder raises FeatureStoreError."""
        raise FeatureStoreError(f"{self.name}: a text-only encoder can't encode images")

    def encode_prepared(self, images: Sequence[Prepared]) -> Encoded:  # noqa: ARG002
        """Encodes what `prepare_image` made; a text-only encoder raises FeatureStoreError."""
        raise FeatureStoreError(f"{self.name}: a text-only encoder can't encode images")

    def encode_no_image(self) -> Encoded:
        """One row: what an image of zeros, behind the normalisation, gives; as `encode_images`."""
        return self.encode_prepared([])

    def layout(
        self, max_length: int, description_budget: int, of_mentions: bool = False
    ) -> TextLayout:
        """The text layout with this tokenizer's special tokens and, behind the first of them, the prompt.

        Args:
            of_mentions: whether the prompt is that of mentions or that of entities.
        Raises:
            FeatureStoreError: if `max_length` is beyond what the model takes, or too short for the
                special tokens and half a name, or if the tokenizer is empty.
        """
        knob = f"encode.max_text_length = {max_length}"
        if max_length > self.text_limit:
            raise FeatureStoreError(f"{knob}: {self.name} takes at most {self.text_limit} tokens")
        special = special_tokens(self.name, self.tokenizer, self.prompts[of_mentions])
        if max_length < (least := 2 * special.total - 1):  # with room for half a name
            what = "special tokens and prompt" if self.prompts[of_mentions] else "special tokens"
            raise FeatureStoreError(f"{knob}: the {what} of {self.name} need {least}")
        return TextLayout(max_length, description_budget, special)
