"""A run that was killed goes on after its last whole shard and ends as an undisturbed one."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from mmoe.errors import FeatureStoreError
from mmoe.features import runner
from mmoe.features.runner import run_shards
from mmoe.features.shards import OK, FeatureRow, shard_name, write_shard
from mmoe.features.store import read_features

from tests.features.slow_shards import SHARD_ROWS, encode_slowly, plan_in

ROOT = Path(__file__).parents[2]
NUM_ROWS = 4 * SHARD_ROWS + 1


def shards_of(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def started(folder: Path) -> list[int]:
    """The first row of every shard that an encoding began."""
    log = folder / "log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def work_of(folder: Path) -> Path:
    [work] = folder.glob("work-*")
    return work


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    assert encode_slowly(folder, NUM_ROWS, 0) == 0
    assert not list(folder.glob("work-*"))
    return shards_of(folder / "out")


def stop_after(folder: Path, num_shards: int) -> None:
    """Leaves what a run leaves that fails once `num_shards` are done."""

    def encode(chunk: Sequence[int]) -> list[FeatureRow]:
        if chunk[0] >= num_shards * SHARD_ROWS:
            raise KeyboardInterrupt
        rows = [np.full((i % 3, 2), i, "f2") for i in chunk]
        return [
            FeatureRow(str(i), OK, states, np.full(2, i, "f2"))
            for i, states in zip(chunk, rows, strict=True)
        ]

    folder.mkdir(exist_ok=True)
    with pytest.raises(KeyboardInterrupt):
        run_shards(range(NUM_ROWS), plan_in(folder), encode)


def test_a_killed_run_goes_on_after_its_last_whole_shard(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    command = [
        sys.executable,
        "-m",
        "tests.features.slow_shards",
        str(folder),
        str(NUM_ROWS),
        "0.2",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(started(folder)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (folder / "out").exists()
    before = started(folder)
    whole = [path for path in work_of(folder).iterdir() if path.name in undisturbed]
    assert all(path.read_bytes() == undisturbed[path.name] for path in whole)
    resumed = encode_slowly(folder, NUM_ROWS, 0)
    assert resumed >= 2 * SHARD_ROWS
    assert not set(started(folder)[len(before) :]) & {*before[:-1]}
    assert shards_of(folder / "out") == undisturbed
    assert not list(folder.glob("work-*"))


@pytest.mark.parametrize("num_shards", [0, 1, 4])
def test_no_finished_shard_is_done_again(
    tmp_path: Path, undisturbed: dict[str, bytes], num_shards: int
) -> None:
    folder = tmp_path / "stopped"
    stop_after(folder, num_shards)
    assert encode_slowly(folder, NUM_ROWS, 0) == num_shards * SHARD_ROWS
    assert started(folder) == [*range(num_shards * SHARD_ROWS, NUM_ROWS, SHARD_ROWS)]
    assert shards_of(folder / "out") == undisturbed


@pytest.mark.parametrize("size", [0, 100, -1])
def test_half_a_shard_is_done_again(
    tmp_path: Path, undisturbed: dict[str, bytes], size: int
) -> None:
    folder = tmp_path / "stopped"
    stop_after(folder, 2)
    second = work_of(folder) / shard_name(1)
    second.write_bytes(second.read_bytes()[:size])
    assert encode_slowly(folder, NUM_ROWS, 0) == SHARD_ROWS
    assert started(folder)[0] == SHARD_ROWS
    assert shards_of(folder / "out") == undisturbed


def test_a_shard_of_another_number_of_rows_is_done_again(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    folder = tmp_path / "stopped"
    stop_after(folder, 2)
    second = work_of(folder) / shard_name(1)
    pq.write_table(pq.read_table(second).slice(0, SHARD_ROWS - 1), second)
    assert encode_slowly(folder, NUM_ROWS, 0) == SHARD_ROWS
    assert shards_of(folder / "out") == undisturbed


def test_work_with_other_settings_is_not_taken_up(tmp_path: Path) -> None:
    stop_after(tmp_path, 2)
    plan = replace(plan_in(tmp_path), metadata={"input": "other numbers"})
    rows = [
        FeatureRow(str(i), OK, np.ones((1, 2), "f2"), np.ones(2, "f2")) for i in range(NUM_ROWS)
    ]
    assert run_shards(range(NUM_ROWS), plan, lambda chunk: [rows[i] for i in chunk]) == 0
    assert read_features(tmp_path / "out").metadata["input"] == "other numbers"
    assert sorted(shards_of(work_of(tmp_path))) == [shard_name(0), shard_name(1)]


def test_the_output_holds_nothing_else(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / shard_name(99)).write_text("old")
    encode_slowly(tmp_path, NUM_ROWS, 0)
    assert shards_of(tmp_path / "out") == undisturbed


def test_leftovers_of_a_killed_write_are_swept_away(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    folder = tmp_path / "stopped"
    stop_after(folder, 1)
    (work_of(folder) / f".{shard_name(1)}.4711.tmp").write_text("half")
    encode_slowly(folder, NUM_ROWS, 0)
    assert shards_of(folder / "out") == undisturbed
    assert not list(folder.glob("work-*"))


@pytest.mark.parametrize("num_rows", [0, 1, SHARD_ROWS, SHARD_ROWS + 1])
def test_rows_are_cut_into_shards(tmp_path: Path, num_rows: int) -> None:
    encode_slowly(tmp_path, num_rows, 0)
    assert len(shards_of(tmp_path / "out")) == max(1, -(-num_rows // SHARD_ROWS))
    table = read_features(tmp_path / "out")
    assert table.ids == tuple(str(i) for i in range(num_rows))
    assert table.lengths.tolist() == [i % 3 for i in range(num_rows)]


def test_a_full_disk_loses_nothing_that_was_finished(
    tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, write, written = tmp_path / "full", pq.write_table, list[Path]()
    folder.mkdir()

    def fill(table: Any, path: Path, **options: Any) -> None:
        if len(written) == 2:
            path.write_bytes(b"PAR1 half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        written.append(path)
        write(table, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", fill)
        with pytest.raises(OSError, match="No space left"):
            encode_slowly(folder, NUM_ROWS, 0)
    assert shards_of(work_of(folder)) == {name: undisturbed[name] for name in [*undisturbed][:2]}
    assert not (folder / "out").exists()
    assert encode_slowly(folder, NUM_ROWS, 0) == 2 * SHARD_ROWS
    assert shards_of(folder / "out") == undisturbed


def test_a_failing_row_keeps_the_shards_before_it(
    tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, write = tmp_path / "failed", write_shard
    folder.mkdir()

    def refuse(path: Path, *rest: Any) -> None:
        if path.name == shard_name(3):
            raise FeatureStoreError("pooled of 9: not finite")
        write(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(runner, "write_shard", refuse)
        with pytest.raises(FeatureStoreError, match="pooled of 9"):
            encode_slowly(folder, NUM_ROWS, 0)
    assert encode_slowly(folder, NUM_ROWS, 0) == 3 * SHARD_ROWS
    assert shards_of(folder / "out") == undisturbed
