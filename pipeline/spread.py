"""Work of a stage spread over processes with Ray Data; each has a model of its own.

The cluster is that of ray.init(): the running one that RAY_ADDRESS names, else this machine. All its machines
must see the project's folder under the same path. What a process does is what the stage itself would do, to
the bit, in parts that don't depend on how many processes there are; one that dies is started again by Ray.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.errors import MmoeError
from mmoe.linking.device import resolve_device

from pipeline.layout import Layout


class _Process:
    """An object of `kind`, made in another process, one of whose methods is called."""

    def __init__(
        self, root: Path, kind: type, at: Layout, file: ParamsFile, num_cpus: int, method: str
    ) -> None:
        import torch

        os.chdir(root)
        torch.set_num_threads(
            num_cpus
        )  # processes with more threads than cores slow each other down
        self._object, self._problem = None, ""
        try:
            self._object = kind(at, file)
        except (MmoeError, OSError) as error:
            self._problem = str(error)
        self._method = method

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """An expected failure is a value, as Ray wraps exceptions in its own."""
        result, problem = None, self._problem
        if not problem:
            try:
                result = getattr(self._object, self._method)(*pickle.loads(row["call"]))  # noqa: S301
            except (MmoeError, OSError) as error:
                problem = str(error)
        return {"number": row["number"], "result": pickle.dumps(result), "problem": problem}


def spread(
    kind: type, method: str, at: Layout, file: ParamsFile, calls: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Calls a method of `kind(at, file)` with each of some arguments; the results, in their order.

    Raises:
        MmoeError: if Ray is not installed, or what the first call that failed says.
    """
    try:
        # Ray is an extra that few need, and it takes seconds to import.
        import ray  # type: ignore[import-not-found, unused-ignore]
        import ray.data  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise MmoeError(
            "runtime.engine = ray: Ray Data is not installed; pip install 'ray[data]', or set "
            "runtime.engine: local"
        ) from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    runtime = file.section(RuntimeParams)
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call, unused-ignore]
    workers = min(runtime.workers, len(calls)) or 1
    num_cpus = max(1, int(resources.get("CPU", 1)) // workers)
    on_gpu = resolve_device(runtime.device).type == "cuda"
    process: Any = _Process  # Ray Data's types know functions alone
    rows = [{"number": i, "call": pickle.dumps(call)} for i, call in enumerate(calls)]
    found = (
        ray.data.from_items(rows, override_num_blocks=len(rows))
        .map(
            process,
            fn_constructor_args=(Path.cwd(), kind, at, file, num_cpus, method),
            concurrency=workers,
            num_cpus=num_cpus,
            num_gpus=resources.get("GPU", 0) / workers if on_gpu else 0,
        )
        .take_all()
    )
    results = []
    for row in sorted(found, key=lambda row: int(row["number"])):
        if row["problem"]:
            raise MmoeError(row["problem"])
        results.append(pickle.loads(row["result"]))  # noqa: S301
    return results
