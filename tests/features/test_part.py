"""Only what is new is encoded, after a kill or in a later run; the output is that of a run from nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mmoe.features.part import write_part
from mmoe.features.shards import ABSENT, UNREADABLE, FeatureRow, shard_name
from mmoe.features.store import read_features

from tests.features.slow_part import (
    SHARD_ROWS,
    Number,
    encode_slowly,
    features_of,
    key_of,
    numbers,
    part_in,
)

ROOT = Path(__file__).parents[2]
NUM_ROWS = 4 * SHARD_ROWS + 1
ROWS = numbers(NUM_ROWS)


def shards_of(folder: Path) -> dict[str, bytes]:
    """All that lies in the output."""
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def encoded(folder: Path) -> list[int]:
    """The numbers that were encoded, in order."""
    log = folder / "log"
    return [int(word) for word in log.read_text().split()] if log.exists() else []


def kept_shards(folder: Path) -> list[Path]:
    """Finished shards in the work folder, in the order in which they were written."""
    return sorted((folder / "work").glob("*/*.parquet"), key=lambda file: file.stat().st_mtime_ns)


def from_nothing(
    tmp_path: Path, rows: Sequence[Number], shard_rows: int = SHARD_ROWS
) -> dict[str, bytes]:
    folder = tmp_path / "from nothing"
    folder.mkdir()
    assert encode_slowly(folder, rows, shard_rows=shard_rows) == 0
    return shards_of(folder)


def stop_after(folder: Path, num_shards: int) -> None:
    """Leaves what a run leaves that fails once `num_shards` are done."""

    def encode(new: Sequence[Number]) -> list[FeatureRow]:
        if new[0].value >= num_shards * SHARD_ROWS:
            raise KeyboardInterrupt
        return features_of(new)

    with pytest.raises(KeyboardInterrupt):
        write_part(ROWS, part_in(folder), key_of, encode)
    assert not (folder / "out").exists()


def start(folder: Path, seconds: float) -> subprocess.Popen[str]:
    words = ["-m", "tests.features.slow_part", str(folder), str(NUM_ROWS), str(seconds)]
    command = [sys.executable, *words]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_run_goes_on_after_its_last_whole_shard(tmp_path: Path) -> None:
    process = start(tmp_path, 0.2)
    wait_until(lambda: len(encoded(tmp_path)) > 2 * SHARD_ROWS)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    before = encoded(tmp_path)
    assert encode_slowly(tmp_path, ROWS) >= 2 * SHARD_ROWS
    assert not set(encoded(tmp_path)[len(before) :]) & {*before[:-SHARD_ROWS]}
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS)


def test_two_runs_at_once_do_the_work_once_and_destroy_nothing(tmp_path: Path) -> None:
    first = start(tmp_path, 0.2)
    wait_until(lambda: len(encoded(tmp_path)) > 0)
    second = start(tmp_path, 0.2)
    said = [process.communicate(timeout=60)[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert "another process encodes this part; waiting for it" in said[1]
    assert encoded(tmp_path) == [row.value for row in ROWS]
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS)


@pytest.mark.parametrize("num_shards", [0, 1, 4])
def test_no_finished_shard_is_done_again(tmp_path: Path, num_shards: int) -> None:
    stop_after(tmp_path, num_shards)
    assert encode_slowly(tmp_path, ROWS) == num_shards * SHARD_ROWS
    assert encoded(tmp_path) == [*range(num_shards * SHARD_ROWS, NUM_ROWS)]
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS)


@pytest.mark.parametrize("field", ["metadata", "made_with"])
def test_work_with_other_settings_or_other_code_is_not_taken_up(tmp_path: Path, field: str) -> None:
    stop_after(tmp_path, 2)
    part = replace(part_in(tmp_path), **{field: {"is": "another"}})  # type: ignore[arg-type]
    assert write_part(ROWS, part, key_of, features_of) == 0
    assert write_part(ROWS, part, key_of, features_of) == NUM_ROWS
    assert encode_slowly(tmp_path, ROWS) == 0  # one generation is kept


def test_earlier_features_are_kept_as_long_as_there_is_room(tmp_path: Path) -> None:
    first = part_in(tmp_path)
    others = [replace(first, metadata={"is": name}) for name in ("another", "a third")]
    write_part(ROWS, first, key_of, features_of)
    size = sum(file.stat().st_size for file in kept_shards(tmp_path))
    with_room = [replace(part, earlier_bytes=5 * size // 2) for part in (first, *others)]
    for part in with_room[1:]:
        assert write_part(ROWS, part, key_of, features_of) == 0
    assert write_part(ROWS, with_room[0], key_of, features_of) == NUM_ROWS
    tight = [replace(part, earlier_bytes=3 * size // 2) for part in (first, *others)]
    assert write_part(ROWS, tight[0], key_of, features_of) == NUM_ROWS
    assert (
        write_part(ROWS, tight[2], key_of, features_of) == NUM_ROWS
    )  # the newer of the two is left
    assert write_part(ROWS, tight[1], key_of, features_of) < NUM_ROWS


@pytest.mark.parametrize("shard_rows", [1, 100])
def test_another_shard_size_keeps_all_rows(tmp_path: Path, shard_rows: int) -> None:
    stop_after(tmp_path, 3)
    assert encode_slowly(tmp_path, ROWS, shard_rows=shard_rows) == 3 * SHARD_ROWS
    assert encode_slowly(tmp_path, ROWS) == NUM_ROWS
    assert encode_slowly(tmp_path, ROWS, shard_rows=shard_rows) == NUM_ROWS
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS, shard_rows)


def test_rows_may_come_in_another_order_and_under_other_ids(tmp_path: Path) -> None:
    encode_slowly(tmp_path, ROWS)
    moved = [replace(row, id=f"x{row.id}") for row in ROWS[::-1]]
    assert encode_slowly(tmp_path, moved) == NUM_ROWS
    assert shards_of(tmp_path) == from_nothing(tmp_path, moved)


def test_new_rows_are_encoded_beside_kept_ones(tmp_path: Path) -> None:
    encode_slowly(tmp_path, ROWS[:4])
    assert encode_slowly(tmp_path, ROWS) == 4
    assert encoded(tmp_path) == [row.value for row in ROWS]
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS)
    assert encode_slowly(tmp_path, ROWS[:2]) == 2
    assert len(kept_shards(tmp_path)) == 1
    assert encode_slowly(tmp_path, []) == 0


def test_equal_rows_of_a_shard_are_encoded_once(tmp_path: Path) -> None:
    encode_slowly(tmp_path, [Number(7, "a"), Number(5, "b"), Number(7, "c")])
    assert encoded(tmp_path) == [7, 5]
    table = read_features(tmp_path / "out")
    assert table.ids == ("a", "b", "c")
    assert table.pooled_NP[:, 0].tolist() == [7, 5, 7]


def test_what_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    def broken(rows: Sequence[Number]) -> list[FeatureRow]:
        statuses = {0: UNREADABLE, 1: ABSENT}
        return [
            FeatureRow(row.id, statuses[row.value], None, None) if row.value < 2 else features
            for row, features in zip(rows, features_of(rows), strict=True)
        ]

    write_part(ROWS, part_in(tmp_path), key_of, broken)
    assert encode_slowly(tmp_path, ROWS) == NUM_ROWS - 1
    assert encoded(tmp_path) == [0]
    assert read_features(tmp_path / "out").present.tolist() == [True, False] + [True] * 11


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """One bit of the features is another."""
    # 4.0 twice, among the values; before and behind them stand statistics.
    place = content.rindex(bytes.fromhex("0044" * 2), 0, len(content) // 4)
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda _: b""])
def test_a_damaged_shard_only_costs_time(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    encode_slowly(tmp_path, ROWS)
    (tmp_path / "log").unlink()
    second = kept_shards(tmp_path)[1]
    content = second.read_bytes()
    second.write_bytes(damage(content))  # in place: the output's link shows it too
    encode_slowly(tmp_path, ROWS)
    assert encoded(tmp_path)[:SHARD_ROWS] == [3, 4, 5]
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.8, 0.95, 0.999])
def test_a_flip_in_the_output_does_not_survive_its_folder(tmp_path: Path, share: float) -> None:
    """The kept shards are other names of the output's."""
    encode_slowly(tmp_path, ROWS)
    first = tmp_path / "out" / shard_name(0)
    content = bytearray(first.read_bytes())
    content[int(share * len(content))] ^= 0x10
    first.write_bytes(bytes(content))
    shutil.rmtree(tmp_path / "out")
    encode_slowly(tmp_path, ROWS)
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS)


def test_the_output_holds_nothing_else_and_shares_its_space_with_the_kept_shards(
    tmp_path: Path,
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / shard_name(99)).write_text("old")
    (tmp_path / "work/other settings").mkdir(parents=True)
    encode_slowly(tmp_path, ROWS)
    assert shards_of(tmp_path) == from_nothing(tmp_path, ROWS)
    assert {path.name for path in tmp_path.iterdir()} == {"out", "work", "log", "from nothing"}
    [generation] = (tmp_path / "work").iterdir()
    kept = {file.stat().st_ino for file in generation.iterdir()}
    assert kept == {file.stat().st_ino for file in (tmp_path / "out").iterdir()}


def test_the_old_output_stays_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode_slowly(tmp_path, ROWS[:3])
    before = shards_of(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", lambda _, target: Path(target).write_bytes(b"half"))
        with pytest.raises(Exception, match="not a whole Parquet file"):
            encode_slowly(tmp_path, ROWS)
    assert shards_of(tmp_path) == before
    assert encode_slowly(tmp_path, ROWS) == NUM_ROWS
