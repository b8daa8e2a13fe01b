"""Killed runs and cut files: finished chunks are not made again, and the index is that of a calm run.

Run as a process, it builds an index and is killed on the way, by a real SIGKILL:

usage  python -m tests.wikidata.index.test_resume DUMP OUT PROCESSES MOMENT NUMBER

MOMENT: `record` before the NUMBERth record of a chunk is written, `merge` before the NUMBERth table is
sorted, `table` when the first row group of the NUMBERth table has been written, `never`.
"""

from __future__ import annotations

import gzip
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata import dump as dump_module
from mmoe.wikidata.index import merge, parts
from mmoe.wikidata.index.extract import Block, Extract, extract
from mmoe.wikidata.index.parts import RECORDS, finished_chunks, write_chunk
from mmoe.wikidata.selection import Selection

from tests.imports import ROOT
from tests.wikidata.index.dumps import build, dump_bytes, entity, many, tree, write_dump

LINES = many(200)

# What is called at that moment; the writer of a table asks for the rest of its row groups.
MOMENTS: dict[str, tuple[Any, str]] = {
    "record": (parts, "write_json"),
    "merge": (merge, "_write_sorted"),
    "table": (merge, "islice"),
}


def main(dump: str, out: str, processes: str, moment: str, number: str) -> None:
    """Builds an index and is killed."""
    if moment in MOMENTS:
        module, name = MOMENTS[moment]
        work, calls = getattr(module, name), iter(range(1, 1_000_000))

        def deadly(*arguments: Any, **more: Any) -> Any:
            if next(calls) == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*arguments, **more)

        setattr(module, name, deadly)
    build(dump, Path(out), processes=int(processes))


def command(dump: str, out: Path, processes: int, moment: str, number: int) -> list[str]:
    """The command line."""
    module = [sys.executable, "-m", "tests.wikidata.index.test_resume"]
    return [*module, dump, str(out), str(processes), moment, str(number)]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The index of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("calm")
    build(write_dump(folder / "dump.json", LINES), folder / "out")
    return tree(folder / "out")


@pytest.fixture
def extracted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines before every block that this process extracts."""
    seen: list[int] = []

    def noting(block: Block, selection: Selection) -> Extract:
        seen.append(block.lines_before)
        return extract(block, selection)

    monkeypatch.setattr(parts, "extract", noting)
    return seen


def records(out: Path) -> list[Path]:
    """Records of finished chunks in the folder of an index."""
    return sorted(out.glob(f".index-*/{RECORDS}/[!.]*"))


def finished_lines(out: Path) -> int:
    (work,) = out.glob(".index-*")
    return sum(record.tally.lines for record in finished_chunks(work, 0))


def test_a_run_that_was_killed_before_its_first_chunk_begins_anew(
    tmp_path: Path, calm: dict[str, bytes], extracted: list[int]
) -> None:
    dump = write_dump(tmp_path / "dump.json", LINES)
    kill(command(str(dump), tmp_path / "out", 1, "record", 1))
    assert not records(tmp_path / "out")
    build(dump, tmp_path / "out")
    assert min(extracted) == 0
    assert tree(tmp_path / "out") == calm


@pytest.mark.parametrize(
    ("processes", "moment", "number"),
    [(1, "record", 4), (2, "record", 6), (1, "merge", 2), (1, "table", 2)],
)
def test_a_killed_run_goes_on_where_it_was(
    tmp_path: Path,
    calm: dict[str, bytes],
    extracted: list[int],
    processes: int,
    moment: str,
    number: int,
) -> None:
    dump = write_dump(tmp_path / "dump.json", LINES)
    kill(command(str(dump), tmp_path / "out", processes, moment, number))
    if moment == "record":
        assert len(records(tmp_path / "out")) == number - 1
    assert not (tmp_path / "out" / "source.json").exists()
    done = finished_lines(tmp_path / "out")
    assert done > 0
    built = build(dump, tmp_path / "out")
    assert built.resumed == done
    assert all(line >= done for line in extracted)  # nothing before it again
    assert bool(extracted) == (moment == "record")
    assert tree(tmp_path / "out") == calm


def kill(arguments: Sequence[str]) -> None:
    """Runs a process that kills itself.

    That its output ends shows that none of its own processes lives on: they would hold it open.
    """
    with subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_standard_input_is_read_past_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dump_bytes(many(500))
    arguments = command("-", tmp_path / "out", 1, "never", 0)
    with subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(data[:100_000])
        process.stdin.flush()
        wait_for(lambda: len(records(tmp_path / "out")) > 5)
        process.send_signal(signal.SIGKILL)
    kept = {file: file.stat().st_mtime_ns for file in records(tmp_path / "out")}
    assert kept
    seen = []

    def noting(chunks: Path, *rest: Any) -> Any:
        seen.extend(records(tmp_path / "out"))
        assert all(file.stat().st_mtime_ns == written for file, written in kept.items())
        return merge.merge_chunks(chunks, *rest)

    monkeypatch.setattr("mmoe.wikidata.index.build.merge_chunks", noting)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    build("-", tmp_path / "out")
    assert len(seen) > len(kept)
    monkeypatch.undo()
    build(write_dump(tmp_path / "dump.json", many(500)), tmp_path / "calm")
    assert tables(tmp_path / "out") == tables(tmp_path / "calm")


def tables(folder: Path) -> dict[str, bytes]:
    """All files but the one that names the dump."""
    return {name: data for name, data in tree(folder).items() if name != "source.json"}


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it never came so far")


@pytest.fixture
def short_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dumps as small as these differ within the usual head if they differ at all."""
    monkeypatch.setattr(dump_module, "HEAD", 100)


def test_a_cut_file_is_named_and_goes_on_once_it_is_whole(
    tmp_path: Path, calm: dict[str, bytes], extracted: list[int], short_head: None
) -> None:
    data = dump_bytes(LINES)
    packed = gzip.compress(data[:20_000]) + gzip.compress(data[20_000:])
    dump = tmp_path / "dump.json.gz"
    dump.write_bytes(packed[:-100])
    message = (
        r"dump\.json\.gz: breaks off or is damaged at about byte [\d,]+ \(.+\); the \d+ entities "
        r"before it are kept in .+: get the whole file under the same name"
    )
    with pytest.raises(WikidataError, match=message):
        build(dump, tmp_path / "out")
    done = finished_lines(tmp_path / "out")
    assert done > 100
    extracted.clear()
    dump.write_bytes(packed)
    built = build(dump, tmp_path / "out")
    assert built.resumed == done
    assert min(extracted) >= done
    assert tables(tmp_path / "out") == {n: data for n, data in calm.items() if n != "source.json"}


def interrupt(dump: Path, out: Path, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is stopped after that chunk, or after all."""

    def stopping(work: Path, part: int, number: int, *rest: Any) -> None:
        if number == last:
            raise KeyboardInterrupt
        write_chunk(work, part, number, *rest)

    def stopped(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parts, "write_chunk", stopping)
        patch.setattr("mmoe.wikidata.index.build.merge_chunks", stopped)
        with pytest.raises(KeyboardInterrupt):
            build(dump, out)


WHOLE = b"\n".join(LINES)


@pytest.mark.parametrize(
    ("changed", "last"),
    [
        (WHOLE.replace(b"alias 9", b"alias X"), 3),  # within what is done
        (WHOLE[:3000], 3),
        (WHOLE + b" ", 999),  # longer in its last line
    ],
)
def test_finished_work_of_another_dump_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_head: None, changed: bytes, last: int
) -> None:
    dump = tmp_path / "dump.json"
    dump.write_bytes(WHOLE)
    interrupt(dump, tmp_path / "out", last, monkeypatch)
    dump.write_bytes(changed)
    message = r"dump\.json: is not the dump of which .+ holds finished work; delete that folder"
    with pytest.raises(WikidataError, match=message):
        build(dump, tmp_path / "out")


@pytest.mark.parametrize("change", ["head", "languages", "name", "nothing", "appended"])
def test_what_decides_whether_work_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_head: None, change: str
) -> None:
    dump = write_dump(tmp_path / "dump.json", LINES)
    interrupt(dump, tmp_path / "out", 3, monkeypatch)
    selection = Selection(("en",))
    if change == "head":
        write_dump(dump, [entity("Q8", "Other"), *LINES])
    elif change == "name":
        dump = dump.rename(tmp_path / "other.json")
    elif change == "appended":
        dump.write_bytes(dump.read_bytes() + entity("Q8", "Other"))
    elif change == "languages":
        selection = Selection(("de", "en"))
    built = build(dump, tmp_path / "out", selection)
    assert (built.resumed > 0) == (change in ("nothing", "appended"))
    build(dump, tmp_path / "calm", selection)
    assert tree(tmp_path / "out") == tree(tmp_path / "calm")  # and no work is left behind


def test_workers_that_are_killed_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill_workers(*arguments: Any) -> None:
        for worker in multiprocessing.active_children():
            worker.kill()
            worker.join()

    monkeypatch.setattr(parts, "write_chunk", kill_workers)
    # More blocks than are handed out before the first chunk is written.
    dump = write_dump(tmp_path / "dump.json", many(800))
    with pytest.raises(WikidataError, match="was ended from outside, often for lack of memory"):
        build(dump, tmp_path / "out", processes=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
