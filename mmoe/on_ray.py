"""Tasks spread over a Ray cluster with Ray Data.

The cluster is that of ray.init(): the running one that RAY_ADDRESS names, else this machine. All its machines
must see the same files under the same paths. A process that dies is started again by Ray.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mmoe.errors import MmoeError


@dataclass(frozen=True)
class Workers:
    """Processes that keep an object between tasks.

    Attributes:
        number: how many; they share the cluster's CPUs evenly, and its GPUs if they use any.
        make: makes the object, which is called with each item; it is given how many CPUs are the process's.
    """

    number: int
    make: Callable[[int], Callable[[Any], Any]]
    use_gpus: bool = False


def map_on_ray(
    task: Callable[[Any], Any] | Workers,
    items: Sequence[Any],
    asked_by: str,
    remedy: str,
    error: type[MmoeError] = MmoeError,
) -> list[Any]:
    """The task's result of each item, in order.

    Args:
        task: a function, or the workers that keep one.
        asked_by: the option that asks for Ray; remedy: how to do without; error: which it is if Ray is not
            installed.
    Raises:
        MmoeError: if it is not; otherwise what the first task that failed raised, if it is an
            MmoeError or an OSError.
    """
    try:
        # Ray is an extra that few need, and it takes seconds to import.
        import ray  # type: ignore[import-not-found, unused-ignore]
        import ray.data  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise error(
            f"{asked_by}: Ray Data is not installed; pip install 'ray[data]', or {remedy}"
        ) from None
    if not items:
        return []
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    rows = [{"number": i, "item": pickle.dumps(item)} for i, item in enumerate(items)]
    dataset = ray.data.from_items(rows, override_num_blocks=len(rows))
    if isinstance(task, Workers):
        number = min(task.number, len(items))
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call, unused-ignore]
        num_cpus = max(1, int(resources.get("CPU", 1)) // number)
        worker: Any = _Worker  # Ray Data's types know functions alone
        mapped = dataset.map(
            worker,
            fn_constructor_args=(task.make, num_cpus),
            concurrency=number,
            num_cpus=num_cpus,
            num_gpus=resources.get("GPU", 0) / number if task.use_gpus else 0,
        )
    else:
        mapped = dataset.map(partial(_answer, task))
    results = []
    for row in sorted(mapped.take_all(), key=lambda row: int(row["number"])):
        result, failure = pickle.loads(row["answer"])  # noqa: S301  # nosec B301
        if failure is not None:
            raise failure
        results.append(result)
    return results


class _Worker:
    def __init__(self, make: Callable[[int], Callable[[Any], Any]], num_cpus: int) -> None:
        self._task, self._error = None, None
        try:
            self._task = make(num_cpus)
        except (MmoeError, OSError) as error:
            self._error = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        if self._task is None:
            return {"number": row["number"], "answer": pickle.dumps((None, self._error))}
        return _answer(self._task, row)


def _answer(task: Callable[[Any], Any], row: dict[str, Any]) -> dict[str, Any]:
    """An expected failure is a value, as Ray wraps exceptions in its own."""
    result, failure = None, None
    try:
        result = task(pickle.loads(row["item"]))  # noqa: S301  # nosec B301
    except (MmoeError, OSError) as error:
        failure = error
    return {"number": row["number"], "answer": pickle.dumps((result, failure))}
