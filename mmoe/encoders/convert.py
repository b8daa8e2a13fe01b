"""Encoder folders from pickled weights, of which nothing but tensors is ever loaded."""

from __future__ import annotations

import pickle
import re
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor
from transformers import AutoConfig, AutoModel

from mmoe.encoders.base import pretrained
from mmoe.encoders.source import FINGERPRINTED
from mmoe.errors import CheckpointError, one_line
from mmoe.files import atomic_write

WEIGHTS, PICKLED = "model.safetensors", "pytorch_model*.bin"
BROKEN = (
    *(RuntimeError, ValueError, EOFError, KeyError, IndexError, struct.error),
    *(TypeError, AttributeError, AssertionError),
)
SHOWN = 400  # characters of torch's own list of what is wrong


def read_pickled(file: Path) -> dict[str, Any]:
    """What a file of torch.save holds: tensors, numbers, strings, and lists and dicts of them.

    Raises:
        CheckpointError: if there is no such file, it is broken, or holds another Python object, which the
            message names.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"a Python object, {found[1]}," if found else "more than tensors,"
        raise CheckpointError(
            f"{file}: holds {what} which is never loaded from a file, as it could run code; save its "
            'tensors alone: torch.save({"state_dict": …}, …)'
        ) from None
    except OSError as error:
        raise CheckpointError(f"{file}: can't be read ({one_line(error)})") from None
    except BROKEN as error:
        raise CheckpointError(f"{file}: no whole file of torch.save ({one_line(error)})") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{file}: holds a {type(content).__name__}, wanted names and tensors")
    return content


def only_tensors(file: Path, content: Mapping[Any, Any]) -> dict[str, Tensor]:
    """The same content; CheckpointError names the first entry that is no tensor."""
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(f"{file}: {name} is a {type(value).__name__}, wanted a tensor")
    return dict(content)


def convert_encoder(folder: Path) -> Path:
    """Writes a folder's pickled weights as safetensors beside them, and returns the new file.

    Raises:
        CheckpointError: if there are none, there is a safetensors file already, or see `read_pickled`.
    """
    files = sorted(folder.glob(PICKLED))
    if not files:
        raise CheckpointError(f"{folder}: holds no {PICKLED}, so there is nothing to convert")
    if any(folder.glob("*.safetensors")):
        raise CheckpointError(f"{folder}: holds weights as safetensors already")
    tensors: dict[str, Tensor] = {}
    for file in files:
        tensors |= only_tensors(file, read_pickled(file))
    _write(folder / WEIGHTS, tensors)
    return folder / WEIGHTS


def write_encoder(folder: Path, base: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes an encoder folder: a base model's configuration and tokenizer with other weights.

    Args:
        base: folder of a model of the same shape.
        tensors: by transformers' names; buffers of older versions (`position_ids`) are left out.
    Raises:
        CheckpointError: naming tensors that are missing, unexpected or of another shape.
    """
    tensors = {n: t for n, t in tensors.items() if not n.endswith("position_ids")}
    try:
        with torch.device("meta"):
            build: Any = AutoModel.from_config
            model = build(pretrained(AutoConfig, str(base)))
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        reason = one_line(error)[:SHOWN]
        raise CheckpointError(f"not the weights of a model as in {base}: {reason}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{base}: not the folder of an encoder ({one_line(error)})") from None
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(base.iterdir()):
        if file.suffix in FINGERPRINTED and file.suffix != ".safetensors":
            shutil.copyfile(file, folder / file.name)
    _write(folder / WEIGHTS, tensors)


def _write(file: Path, tensors: Mapping[str, Tensor]) -> None:
    # Tensors that share memory are written apart.
    separate = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    with atomic_write(file) as temporary:
        temporary.write_bytes(save(separate, {"format": "pt"}))
