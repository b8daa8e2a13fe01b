"""What has arrived and what has failed, in a folder that outlives a killed run.

A file lies there whole and checked or not at all, under a hash of its name on Commons; so its mere presence
says that it need not be asked for again. Failures are lines of failures.jsonl.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import orjson

from mmoe.files import atomic_write, content_key
from mmoe.wikidata.images.fetch import ENDINGS, Failure, FetchedImage

FAILURES = "failures.jsonl"


class Work:
    """The unfinished work of a folder.

    Attributes:
        failures: name on Commons -> why there is no image, of this run and of the killed one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._log = folder / FAILURES
        self.failures = dict(self._read())
        endings = set(ENDINGS.values())
        self._files = {file.stem: file for file in folder.iterdir() if file.suffix in endings}

    def arrived(self, name: str) -> Path | None:
        """The file that holds the image; null if it has not arrived."""
        return self._files.get(content_key(name))

    def keep(self, name: str, image: FetchedImage) -> None:
        """Writes an image that has arrived."""
        file = self._folder / f"{content_key(name)}{image.ending}"
        with atomic_write(file) as temporary:
            temporary.write_bytes(image.data)
        self._files[file.stem] = file

    def note(self, failures: Mapping[str, Failure]) -> None:
        """Writes down of which images there is none, and why."""
        with self._log.open("ab") as out:
            for name, failure in failures.items():
                self.failures[name] = failure.reason
                out.write(orjson.dumps([name, failure.reason], option=orjson.OPT_APPEND_NEWLINE))
            out.flush()
            os.fsync(out.fileno())

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self._folder)

    def _read(self) -> list[tuple[str, str]]:
        if not self._log.is_file():
            return []
        # A killed run may have left half a line, on which the next line must not be written.
        whole = self._log.read_bytes()
        whole = whole[: whole.rfind(b"\n") + 1]
        self._log.write_bytes(whole)
        return [tuple(orjson.loads(line)) for line in whole.splitlines()]
