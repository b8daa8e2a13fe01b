"""Files that appear whole or not at all, and the hashes that name their contents."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmoe.code_fingerprint import tree_key
from mmoe.errors import DataError
from mmoe.locks import exclusive_lock

CHECKSUM = "checksum"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside `path`; on success it is fsynced and renamed to `path`.

    A reader, a killed process or a full disk therefore never leaves half a file under the final name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_name(path) as temporary:
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
        except OSError as error:
            _name(error, path)
            raise
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _temporary_name(path: Path) -> Iterator[Path]:
    """One under which nobody else writes: the same for every run, so that what a killed one has left under it
    is written over, or one of this process's own while another one writes the same file.
    """
    temporary, descriptor = path.with_name(f".{path.name}.tmp"), -1
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have given it its final name meanwhile.
        is_ours = os.path.samestat(os.fstat(descriptor), temporary.stat())
    except OSError:
        is_ours = False  # another one writes, or this disk has no locks
    try:
        yield temporary if is_ours else path.with_name(f".{path.name}.{os.getpid()}.tmp")
    finally:
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`; it takes its place when the block ends well, and goes if it does not.

    The old folder goes once the new one is whole: a run that is killed leaves one of them, here or for the
    next run to put back. Of two that write the same folder, one waits.
    """
    new, old = (path.with_name(f".{path.name}.{word}") for word in ("new", "old"))

    def say_busy() -> None:
        print(f"{path}: another process writes it; waiting", file=sys.stderr)

    try:
        with exclusive_lock(path.parent, f".{path.name}.lock", say_busy):
            if old.exists() and not path.exists():  # a run was killed between the two renames below
                old.rename(path)
            for leftover in (new, old):
                shutil.rmtree(leftover, ignore_errors=True)
            new.mkdir(parents=True)
            try:
                yield new
                if path.exists():
                    path.rename(old)
                new.rename(path)
            finally:
                shutil.rmtree(new, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        _name(error, path)
        raise


def _name(error: OSError, path: Path) -> None:
    """A write that finds no room says not of which file."""
    if error.filename is None and error.errno is not None:
        error.filename = str(path)


def remove_folder(path: Path) -> None:
    """Removes a folder; it loses its name first, so that a kill leaves no part of it under that."""
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    path.rename(old)
    shutil.rmtree(old)


class TemporaryFolder:
    """A folder that goes with the last who holds this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mmoe-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """A second name of a finished file, which takes no space; a copy where the disk has no such names."""
    real = source.resolve()
    try:
        os.link(real, target)
    except OSError:
        shutil.copy2(real, target)


def bytes_under(folder: Path) -> int:
    """Of all files in a folder and below."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON with the keys in the order given."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_sealed_json(path: Path, value: dict[str, Any]) -> None:
    """As `write_json`, with a checksum of all else as the last key."""
    as_read = json.loads(
        json.dumps(value)
    )  # where keys are strings, whose order isn't that of numbers
    write_json(path, value | {CHECKSUM: content_key(as_read)})


def read_sealed_json(path: Path, remedy: str = "run dvc repro") -> dict[str, Any]:
    """What `write_sealed_json` was given.

    Args:
        remedy: what to do about a damaged file, for the message.
    Raises:
        DataError: see `read_json`; also if the content is not what was written.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.pop(CHECKSUM, None) != content_key(value):
        raise DataError(
            f"{path}: its content is not what was written, by its own checksum; {remedy}"
        )
    return value


def append_json_line(path: Path, value: Any) -> None:
    """Adds `value` to a log of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(value, ensure_ascii=False) + "\n")


def read_text(path: Path) -> str:
    """Reads a UTF-8 file (a byte order mark is dropped).

    Raises:
        DataError: if the file is missing or is not UTF-8; the message names line and byte, and says which
            encoding it looks like.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, place = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise DataError(
            f"{path}: not UTF-8 at line {line}, byte {place} (0x{error.object[error.start]:02x})"
            f"{_likely_encoding(error)}; save the file as UTF-8"
        ) from None


def _likely_encoding(error: UnicodeDecodeError) -> str:
    if error.object[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ", looks like UTF-16"
    found, after = error.object[error.start : error.start + 1], error.object[error.start + 1 :]
    return ", looks like Latin-1" if found.decode("latin-1").isalpha() and after else ""


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        DataError: if it is missing, not UTF-8 or not JSON; the message names line and column.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content_key(*parts: object) -> str:
    """A short stable name (16 hex digits) for what `parts` print as JSON; never Python's hash()."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sources_key(*folders: Path) -> str:
    """A short name for what the Python sources in `folders` compute: unfinished work of other code is not
    resumed, and a docstring or a comment voids nothing.
    """
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    assert files, f"no sources in {', '.join(str(folder) for folder in folders)}"
    return tree_key(files)
