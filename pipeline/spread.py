"""Work of a stage spread over processes, each with a model of its own (runtime.engine: ray).

What a process does is what the stage itself would do, in whole batches or shards, so that the outputs are
equal to the bit.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.linking.device import resolve_device
from mmoe.on_ray import Workers, map_on_ray

from pipeline.layout import Layout

BLOCKS_EACH = 4  # that a process gets, so that all end at about the same time


def spread(
    kind: Callable[[Layout, ParamsFile], Any],
    method: str,
    at: Layout,
    file: ParamsFile,
    calls: Sequence[tuple[Any, ...]],
) -> list[Any]:
    """Calls a method of `kind(at, file)` with each of some arguments; the results, in their order.

    Raises:
        MmoeError: if Ray is not installed, or what the first call that failed raised.
    """
    runtime = file.section(RuntimeParams)
    make = partial(_method_of, root=Path.cwd(), kind=partial(kind, at, file), method=method)
    on_gpu = resolve_device(runtime.device).type == "cuda"
    workers = Workers(runtime.workers, make, use_gpus=on_gpu)
    return map_on_ray(workers, calls, "runtime.engine = ray", "set runtime.engine: local")


def blocks(total: int, unit: int, runtime: RuntimeParams) -> list[range]:
    """The numbers from 0 to `total` in blocks that begin at multiples of `unit`."""
    size = unit * max(1, math.ceil(total / (unit * BLOCKS_EACH * runtime.workers)))
    return [range(start, min(start + size, total)) for start in range(0, total, size)]


def _method_of(
    num_cpus: int, root: Path, kind: Callable[[], Any], method: str
) -> Callable[[tuple[Any, ...]], Any]:
    os.chdir(root)
    # Processes with more threads than cores slow each other down.
    torch.set_num_threads(num_cpus)
    bound = getattr(kind(), method)

    def call(arguments: tuple[Any, ...]) -> Any:
        return bound(*arguments)

    return call
