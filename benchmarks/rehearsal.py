"""A run at the size of the papers' data sets: time and memory of the stages.

usage  python -m benchmarks.rehearsal [raw|features] [--entities N] [--mentions N] [--folder PATH]
                                      [--stages A,B] [--kill] [--limit-gb X] [--set KNOB=VALUE …]
                                      [--tokens N] [--text-only]

raw       from texts and images on: a generated release (benchmarks.generated_release), encoded by the
          sample's CLIP.
features  from features on, as large as CLIP ViT-B/32's: 50 tokens of 512 numbers and 50 patches of 768,
          generated (benchmarks.generated_features). --tokens makes them shorter, and --text-only leaves
          images out; then --set model.units=[text].

Runs the stages, each in a process of its own. With --kill, encoding and training are killed twice on the way;
with --limit-gb, a stage that wants more memory of its own than that fails (RLIMIT_DATA). What a stage takes
is read from the operating system: wall and processor seconds, and the most anonymous memory (what the
process itself holds; pages of files, which the system can drop, are apart).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile

from benchmarks.generated_features import Shape, generate_features
from benchmarks.generated_release import generate_release
from benchmarks.measure import machine
from pipeline.layout import Layout

ROOT = Path(__file__).parent.parent
NAME = "rehearsal"
STAGES = {
    "raw": "ingest,retrieve,rank,audit,encode,baselines,train,rerank,evaluate",
    "features": "baselines,train,rerank,evaluate",
}
FROM_RAW = ["retrieve.source=kb", f"encode.model={ROOT / 'data/raw/sample/clip'}"]  # knobs
KILLED_AFTER = {"encode": (30.0, 120.0), "train": (60.0, 600.0)}  # seconds
POLL = 0.1  # seconds


@dataclass
class Taken:
    """What a process took; anonymous memory and pages of files at their most, in bytes."""

    name: str
    wall_s: float = 0
    cpu_s: float = 0
    anonymous: int = 0
    files: int = 0


def measure(
    name: str, *arguments: str, kills: Sequence[float] = (), limit_gb: float | None = None
) -> Taken:
    """Runs a module as a program.

    Args:
        kills: seconds after which it is killed and started again, once for each.
        limit_gb: of the memory that it may hold itself.
    """
    taken, start, before = Taken(name), time.monotonic(), os.times()
    for limit in [*kills, float("inf")]:
        begun = time.monotonic()
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", *arguments], env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        if limit_gb is not None:
            most = int(limit_gb * 1e9)
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (most, most))
        while process.poll() is None:
            anonymous, files = _memory(process.pid)
            taken.anonymous, taken.files = max(taken.anonymous, anonymous), max(taken.files, files)
            if time.monotonic() - begun > limit:
                process.send_signal(signal.SIGKILL)
            time.sleep(POLL)
        if process.returncode == 0:
            break
        if process.returncode != -signal.SIGKILL or limit == float("inf"):
            raise SystemExit(f"{name} ended with {process.returncode}")
    after = os.times()
    taken.wall_s = time.monotonic() - start
    taken.cpu_s = sum(after[2:4]) - sum(before[2:4])
    return taken


def _memory(pid: int) -> tuple[int, int]:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    if command == Path("/proc/self/cmdline").read_bytes():
        return 0, 0  # it is still this process's copy
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return (
        int(lines.get("RssAnon", "0").split()[0]) * 1024,
        int(lines.get("RssFile", "0").split()[0]) * 1024,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("start", nargs="?", choices=list(STAGES), default="features")
    parser.add_argument("--entities", type=int, default=110_000)
    parser.add_argument("--mentions", type=int, default=25_846)
    parser.add_argument("--folder", type=Path, default=Path("rehearsal"))
    parser.add_argument("--stages")
    parser.add_argument("--kill", action="store_true", help="kill encoding and training twice")
    parser.add_argument("--limit-gb", type=float, help="of memory that a stage may hold itself")
    parser.add_argument("--set", nargs="*", default=[], metavar="KNOB=VALUE")
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--text-only", action="store_true")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    knobs = FROM_RAW if chosen.start == "raw" else []
    write_params(chosen.folder / "params.yaml", [*knobs, *chosen.set])
    os.chdir(chosen.folder)
    at, size = Layout(NAME), (chosen.entities, chosen.mentions)
    if chosen.start == "raw" and not at.raw.exists():
        generate_release(at.raw, *size)
    if chosen.start == "features" and not at.left_out("keep").exists():
        dtype = ParamsFile().section(EncodeParams).dtype
        generate_features(at, *size, Shape(chosen.tokens, chosen.text_only, dtype))
    rows = []
    for stage in (chosen.stages or STAGES[chosen.start]).split(","):
        kills = KILLED_AFTER.get(stage, ()) if chosen.kill else ()
        rows.append(
            measure(stage, f"pipeline.{stage}", NAME, kills=kills, limit_gb=chosen.limit_gb)
        )
        print(f"{stage}: {rows[-1].wall_s:.0f} s", flush=True)
    print("| stage | s | CPU s | memory, GB | pages of files, GB |\n|---|---|---|---|---|")
    for row in rows:
        memory = f"{row.anonymous / 1e9:.2f} | {row.files / 1e9:.2f}"
        print(f"| {row.name} | {row.wall_s:.0f} | {row.cpu_s:.0f} | {memory} |")
    features = sum(file.stat().st_size for file in at.features.rglob("*.parquet"))
    figures = {
        "name": "rehearsal",
        "seconds": {row.name: round(row.wall_s) for row in rows},
        "memory_gb": {row.name: round(row.anonymous / 1e9, 2) for row in rows},
        "features_gb": round(features / 1e9, 1),
        "machine": machine(),
    }
    print(json.dumps(figures))


def write_params(path: Path, changes: Sequence[str]) -> None:
    """The project's params.yaml with some knobs set."""
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    for knob, _, value in (change.partition("=") for change in changes):
        section, _, name = knob.partition(".")
        params[section][name] = YAML(typ="safe").load(value)
    yaml.dump(params, path)


if __name__ == "__main__":
    main()
