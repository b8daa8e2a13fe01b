"""Where and in what precision training and evaluation compute."""

from __future__ import annotations

import os

import torch

from mmoe.errors import ConfigError


def compute_deterministically() -> None:
    """Makes training a function of seed, data, processor and number of threads.

    Gradients of indexing are otherwise added up by several threads in an order that varies.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # What use_deterministic_algorithms does, without loading a compiler that nothing here uses.
    torch.set_deterministic_debug_mode("error")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def resolve_device(name: str) -> torch.device:
    """`auto` is CUDA where there is a usable device, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(name)
    except RuntimeError:
        raise ConfigError(
            f"device {name}: no such device; use auto, cpu, cuda or cuda:<n>"
        ) from None


def resolve_precision(name: str, device: torch.device) -> str:
    """`auto` is bfloat16 where the device multiplies it in hardware; elsewhere it would be slower."""
    if name != "auto":
        return name
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if fast else "float32"


def computing_in(precision: str, device: torch.device) -> torch.autocast:
    """Where products are computed in bfloat16, or as they are for float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def compute_with(threads: int | None) -> None:
    """Sets how many threads compute; None: one fewer than cores.

    For a process with other work: threads that wait for a core slow all of them down.
    """
    torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) - 1))


def about_device() -> dict[str, object]:
    """What computes here, and with which instructions: results differ with them, and with the threads."""
    cuda = torch.cuda.is_available()
    name = torch.cuda.get_device_name(0) if cuda else "cpu"
    return {
        "device": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "kernel": torch.backends.cpu.get_cpu_capability(),
    }
