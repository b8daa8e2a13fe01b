"""What has arrived of a file: `<name>.part`, and beside it the ETag that its bytes belong to."""

from __future__ import annotations

from pathlib import Path

from mmoe.files import atomic_write, read_text, write_text


class Partial:
    """The unfinished download of `target`; it outlives the process that began it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._etag = target.with_name(f"{target.name}.part.etag")

    @property
    def size(self) -> int:
        """Bytes that have arrived; 0 if none have."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def etag(self) -> str | None:
        """The strong ETag under which they came, if the server gave one."""
        return read_text(self._etag) if self._etag.is_file() else None

    def begin(self, etag: str | None) -> None:
        """Forgets what has arrived and starts from the first byte."""
        self.drop()
        # A weak ETag (W/"…") promises equal meaning, not equal bytes.
        if etag is not None and etag.startswith('"'):
            write_text(self._etag, etag)

    def drop(self) -> None:
        """Removes what has arrived."""
        self.path.unlink(missing_ok=True)
        self._etag.unlink(missing_ok=True)

    def finish(self) -> None:
        """Gives the file its final name."""
        with atomic_write(self.target) as temporary:
            self.path.replace(temporary)
        self._etag.unlink(missing_ok=True)
