"""A run at the size of the papers' data sets, from generated features to ranks: time and memory of stages.

usage  python -m benchmarks.rehearsal [--entities N] [--mentions N] [--folder PATH] [--stages A,B] [--kill]
                                      [--limit-gb X] [--set KNOB=VALUE …]

Writes a knowledge base of N entities with texts and pictures, and mentions of them, as features of CLIP
ViT-B/32's shape (50 tokens of 512 and 50 patches of 768 numbers, pooled 512), then runs the stages on them,
each in a process of its own. With --kill, training is killed twice on the way; with --limit-gb, a stage that
wants more memory of its own than that fails (RLIMIT_DATA). What a stage takes is read from the operating
system: wall and processor seconds, and the most anonymous memory (what the process itself holds; pages of
files, which the system can drop, are apart).

The features are made so that a matcher has something to learn and ranks are neither all 1 nor random: about
three entities share a name; pooled vectors lie in few dimensions, and a mention's are its entity's, blurred;
of its tokens some are its entity's own words, the others everybody's.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.features.shards import OK, FeatureRow, PartColumns, shard_name, shard_table, write_shard
from mmoe.files import write_json
from mmoe.records import Candidate, Description, Entity, Mention, write_records
from mmoe.vectors import unit_rows

from benchmarks.measure import machine
from pipeline.layout import Layout

ROOT = Path(__file__).parent.parent
NAME = "rehearsal"
STAGES = ("baselines", "train", "rerank", "evaluate")
TEXT, IMAGE = PartColumns("text", 512, 512), PartColumns("image", 768, 512)
CONTEXT = PartColumns("text", 0, 512)
LENGTH, SHARD_ROWS, VOCABULARY, OWN_WORDS = 50, 2048, 20_000, 2
NAME_DIMS, OWN_DIMS, BLUR = 16, 12, 2.0
SPLITS = {"train": 0.7, "valid": 0.1, "test": 0.2}  # as WikiMEL's 18,092, 2,585 and 5,169
KILLED_AFTER = (60.0, 600.0)  # seconds
POLL = 0.1  # seconds
SYLLABLES = [f"{a}{b}" for a in "bdfgklmn" for b in "aeiou"]
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]


class World:
    """What features are drawn from; latent vectors and own words belong to the entities, in order."""

    def __init__(self, num_entities: int) -> None:
        self.rng = np.random.default_rng(0)
        names = self._normal(max(1, num_entities // 3), NAME_DIMS)
        self.name_of = self.rng.integers(len(names), size=num_entities)
        self.names = names[self.name_of]
        self.texts = np.concatenate([self.names, self._normal(num_entities, OWN_DIMS)], axis=1)
        self.images = self._normal(num_entities, OWN_DIMS)
        self.own_words = self.rng.integers(VOCABULARY, size=(num_entities, OWN_WORDS))
        self.words, self.patches = (
            self._normal(VOCABULARY, columns.token_width).astype(np.float16)
            for columns in (TEXT, IMAGE)
        )

    def write(self, at: Layout, side: str, ids: Sequence[str], of: NDArray[np.int64]) -> None:
        """All parts of one side; `of` are the entities that the rows mean."""
        config = ParamsFile().section(EncodeParams).feature_config
        metadata = {**config, "fingerprint": NAME, "joint": True}
        for number, start in enumerate(range(0, len(ids), SHARD_ROWS)):
            rows = slice(start, start + SHARD_ROWS)
            for part, columns, features in self._parts(side, ids[rows], of[rows]):
                path = at.features / part / shard_name(number)
                write_shard(path, shard_table(features, columns, metadata))

    def _parts(
        self, side: str, ids: Sequence[str], of: NDArray[np.int64]
    ) -> Iterator[tuple[str, PartColumns, list[FeatureRow]]]:
        blur = BLUR if side == "mention" else 0.0
        names = self._pooled(self.names[of], blur / 3)
        texts, images = self._pooled(self.texts[of], blur), self._pooled(self.images[of], blur)
        words, patches = self._tokens(of, self.words), self._tokens(of, self.patches)
        keys = [f"{side} {id_}" for id_ in ids]
        all_ok = [OK] * len(ids)
        yield f"{side}_text", TEXT, [*map(FeatureRow, ids, all_ok, words, texts, names, keys)]
        no_names = [None] * len(ids)
        rows = [*map(FeatureRow, ids, all_ok, patches, images, no_names, keys)]
        yield f"{side}_image", IMAGE, rows
        if side == "mention":
            rows = [*map(FeatureRow, ids, all_ok, no_names, texts, names, keys)]
            yield "mention_context", CONTEXT, rows

    def _pooled(self, latent: Floats, blur: float) -> Halves:
        """Unit vectors of 512 numbers; the latent ones are blurred by so many standard deviations."""
        basis = np.random.default_rng(latent.shape[1]).standard_normal((latent.shape[1], 512))
        vectors = (latent + blur * self._normal(*latent.shape)) @ basis.astype(np.float32)
        return unit_rows(vectors).astype(np.float16)

    def _tokens(self, of: NDArray[np.int64], table: Halves) -> Halves:
        """[B, LENGTH, C]: each row's own words among everybody's, at places drawn at random."""
        drawn = self.rng.integers(VOCABULARY, size=(len(of), LENGTH))
        drawn[:, :OWN_WORDS] = self.own_words[of]
        tokens: Halves = table[self.rng.permuted(drawn, axis=1)]
        return tokens

    def _normal(self, *shape: int) -> Floats:
        return self.rng.standard_normal(shape, dtype=np.float32)


def generate(at: Layout, num_entities: int, num_mentions: int) -> None:
    """Records and features, below the current folder."""
    rng = np.random.default_rng(1)
    words = np.array([f"{a}{b}{c}" for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES])
    world = World(num_entities)
    names = [
        " ".join(np.random.default_rng(name).choice(words, 2)) for name in world.name_of.tolist()
    ]
    entities = [
        Entity(f"Q{i}", name, " ".join(rng.choice(words, 12)), ()) for i, name in enumerate(names)
    ]
    of = rng.integers(num_entities, size=num_mentions)
    splits = rng.choice(list(SPLITS), size=num_mentions, p=list(SPLITS.values()))
    mentions = []
    for i, (entity, split) in enumerate(zip(of.tolist(), splits.tolist(), strict=True)):
        form, around = names[entity].split()[1], " ".join(rng.choice(words, 18))
        context = f"{around} {names[entity]} {around}"
        mentions.append(Mention(f"m{i}", f"s{i}", form, context, None, f"Q{entity}", True, split))
    write_records(at.mentions, Mention, mentions)
    write_records(at.entities, Entity, entities)
    write_records(at.candidates, Candidate, [])
    write_records(at.descriptions, Description, [])
    world.write(at, "entity", [entity.qid for entity in entities], np.arange(num_entities))
    world.write(at, "mention", [mention.mention_id for mention in mentions], of)
    write_json(at.left_out("keep"), [])


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
    parser.add_argument("--entities", type=int, default=110_000)
    parser.add_argument("--mentions", type=int, default=25_846)
    parser.add_argument("--folder", type=Path, default=Path("rehearsal"))
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--kill", action="store_true", help="kill training twice")
    parser.add_argument("--limit-gb", type=float, help="of memory that a stage may hold itself")
    parser.add_argument("--set", nargs="*", default=[], metavar="KNOB=VALUE")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    for knob, _, value in (change.partition("=") for change in chosen.set):
        section, _, name = knob.partition(".")
        params[section][name] = YAML(typ="safe").load(value)
    yaml.dump(params, chosen.folder / "params.yaml")
    os.chdir(chosen.folder)
    at = Layout(NAME)
    if not at.left_out("keep").exists():
        generate(at, chosen.entities, chosen.mentions)
    size = sum(file.stat().st_size for file in at.features.rglob("*.parquet"))
    rows = []
    for stage in chosen.stages.split(","):
        kills = KILLED_AFTER if chosen.kill and stage == "train" else ()
        rows.append(
            measure(stage, f"pipeline.{stage}", NAME, kills=kills, limit_gb=chosen.limit_gb)
        )
        print(f"{stage}: {rows[-1].wall_s:.0f} s", flush=True)
    print("| stage | s | CPU s | memory, GB | pages of files, GB |\n|---|---|---|---|---|")
    for row in rows:
        memory = f"{row.anonymous / 1e9:.2f} | {row.files / 1e9:.2f}"
        print(f"| {row.name} | {row.wall_s:.0f} | {row.cpu_s:.0f} | {memory} |")
    figures = {
        "name": "rehearsal",
        "seconds": {row.name: round(row.wall_s) for row in rows},
        "memory_gb": {row.name: round(row.anonymous / 1e9, 2) for row in rows},
        "features_gb": round(size / 1e9, 1),
        "machine": machine(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
