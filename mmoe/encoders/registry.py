"""Which encoder a name means: another kind of model is a class of `kinds` and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig
from transformers.utils import logging as transformers_logging

from mmoe.encoders.base import Encoder, pretrained
from mmoe.encoders.kinds import ClipEncoder, NaflexEncoder, SiglipEncoder, TextOnlyEncoder
from mmoe.encoders.source import SAFETENSORS, ModelSource
from mmoe.encoders.tuned import BASE, Tuned, about_tuned, apply_tuned
from mmoe.errors import FeatureStoreError, MmoeError, one_line

# By transformers' `model_type`; any other without a vision tower is a text-only encoder.
ENCODERS: dict[str, type[Encoder]] = {
    "clip": ClipEncoder,
    "siglip": SiglipEncoder,
    "siglip2": NaflexEncoder,
    "vision-text-dual-encoder": ClipEncoder,
}


def load_encoder(
    name: str, device: str = "auto", precision: str = "float32", knob: str = "encode.model"
) -> Encoder:
    """Loads the encoder that `encode.model`, or another parameter, names.

    Args:
        name: a folder, a Hugging Face id, or `package:<module>/<folder>` for a model that an installed
            Python package carries; or the folder of an encoder that stage tune wrote.
        device: auto, cpu, cuda or cuda:<n>.
        precision: float32 or bfloat16.
        knob: the parameter that names it, for messages.
    Raises:
        FeatureStoreError: if there is no such model, it is of a kind that has no text encoder here, or it
            asks for code of its own.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source, folder = ModelSource.find(name, knob), Path(name)
    about = about_tuned(folder)
    if about is None:
        return _load(source, device, precision)
    if about.method == "full":
        encoder = _load(source, device, precision)
    else:
        encoder = apply_tuned(folder, about, _load_base(folder, about, device, precision))
    encoder.name, encoder.tuned, encoder.fingerprint = about.base, name, source.fingerprint()
    return encoder


def base_encoder(encoder: Encoder) -> Encoder:
    """The encoder before it was tuned; the same one if it has not been.

    Raises:
        FeatureStoreError: if it is not there any more, or another one is.
    """
    if encoder.base is None and encoder.tuned is not None:
        folder = Path(encoder.tuned)
        about = about_tuned(folder)
        assert about is not None
        precision = str(encoder.model.dtype).removeprefix("torch.")
        encoder.base = _load_base(folder, about, str(encoder.device), precision)
    return encoder if encoder.base is None else encoder.base


def _load_base(folder: Path, about: Tuned, device: str, precision: str) -> Encoder:
    """The encoder that was tuned, loaded anew; see `base_encoder` for the errors."""
    inside = folder / BASE
    name = str(inside) if inside.is_dir() else about.base
    base = load_encoder(name, device, precision, "tune")
    about.check_base(base, folder)
    return base


def _load(source: ModelSource, device: str, precision: str) -> Encoder:
    chosen = _torch_device(device)
    with _explained(source):
        source.refuse_code(PretrainedConfig.get_config_dict(source.path)[0])
        config = pretrained(AutoConfig, source.path)
        kind = config.model_type
        reads_text = hasattr(config, "max_position_embeddings") and not config.is_encoder_decoder
        if kind not in ENCODERS and (hasattr(config, "vision_config") or not reads_text):
            raise source.error(
                f"model type {kind} is not supported; use a CLIP, a SigLIP, a text-only encoder or a "
                "vision-text-dual-encoder"
            )
        return ENCODERS.get(kind, TextOnlyEncoder)(source, chosen, getattr(torch, precision))


def load_tokenizer(name: str, knob: str = "encode.model") -> Any:
    """The tokenizer alone of the encoder that a parameter names; errors as in `load_encoder`."""
    source = ModelSource.find(name, knob)
    with _explained(source):
        return pretrained(AutoTokenizer, source.path)


@contextmanager
def _explained(source: ModelSource) -> Iterator[None]:
    """Turns what transformers raises into one line that names the parameter."""
    try:
        yield
    except MmoeError as error:
        raise source.error(f"can't be loaded: {one_line(error)}") from None
    except Exception as error:  # tokenizers raise nothing narrower
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        remedy = f"; {SAFETENSORS}" if "safetensors" in reason else ""
        if not Path(source.path).is_dir() and not remedy:
            remedy = "; name its folder, or an id on the Hugging Face hub where this machine can reach it"
        raise source.error(f"can't be loaded: {reason}{remedy}") from None


def _torch_device(device: str) -> torch.device:
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = torch.device(automatic if device == "auto" else device)
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise FeatureStoreError(f"runtime.device = {device}: torch finds no such device; use auto")
    return chosen
