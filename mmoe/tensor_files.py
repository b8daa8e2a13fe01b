"""Tensors in safetensors files that know their own content: a reader notices each byte that was changed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mmoe.errors import CheckpointError, one_line
from mmoe.files import atomic_write

ABOUT, SEAL = "mmoe", "sha256"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Writes tensors, whole or not at all.

    Args:
        about: JSON values that go into the file; numbers that are not finite may be among them.
    """
    own = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    text = json.dumps(dict(about))
    # One key: safetensors writes several in random order, and DVC would see another file each time.
    metadata = {ABOUT: json.dumps({SEAL: _digest(own, text), ABOUT: text})}
    with atomic_write(path) as temporary:
        temporary.write_bytes(save(own, metadata))


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `write_tensors` was given: the JSON values and the tensors.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if it is broken, is not as it was written, or was written otherwise.
    """
    try:
        with safe_open(path, framework="pt") as file:
            stored = json.loads((file.metadata() or {}).get(ABOUT, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not a whole safetensors file ({one_line(error)})") from None
    if not isinstance(stored, dict) or not {SEAL, ABOUT} <= stored.keys():
        raise CheckpointError(
            f"{path}: holds no checksum of itself: made by another version of mmoe, or by another program"
        )
    if stored[SEAL] != _digest(tensors, stored[ABOUT]):
        raise CheckpointError(f"{path}: its content is not what was written, by its own checksum")
    about: dict[str, Any] = json.loads(stored[ABOUT])
    return about, tensors


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
