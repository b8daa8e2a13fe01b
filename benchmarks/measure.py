"""How a benchmark takes its times and how it ends: with one JSON line."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch


def median_seconds(work: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of `runs` calls after one that is not counted."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def alternating_seconds(
    ours: Callable[[], object], plain: Callable[[], object], runs: int = 5
) -> tuple[float, float]:
    """Medians of both, run in turn, so that a drifting machine slows both alike."""
    ours()
    plain()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for work, taken in zip((ours, plain), times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def print_result(
    name: str, value: float, unit: str, plain: float, *, higher_is_better: bool
) -> None:
    """The benchmark's last line: `ratio` says how many times better ours is."""
    ratio = value / plain if higher_is_better else plain / value
    figures = {"value": round(value, 4), "unit": unit, "plain": round(plain, 4)}
    print(json.dumps({"name": name, **figures, "ratio": round(ratio, 2), "machine": machine()}))


def machine() -> str:
    """Processor, cores, torch threads and the load at the moment."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores, {torch.get_num_threads()} threads{load}"
