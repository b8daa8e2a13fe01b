"""Fetches one file; run as a process, to be killed or to run out of disk.

usage  python -m tests.datasets.download.one_fetch BASE REPOSITORY COMMIT PATH SIZE SHA256 TARGET
"""

from __future__ import annotations

import sys
from pathlib import Path

from mmoe.datasets.download.fetch import fetch
from mmoe.datasets.download.sources import Source
from mmoe.errors import MmoeError


def command(source: Source, base: str, target: Path) -> list[str]:
    """The command line that fetches `source` to `target`."""
    pinned = [source.repository, source.commit, source.path, str(source.size), source.sha256]
    return [sys.executable, "-m", "tests.datasets.download.one_fetch", base, *pinned, str(target)]


def main(
    base: str, repository: str, commit: str, path: str, size: str, sha256: str, to: str
) -> int:
    try:
        fetch(Source(repository, commit, path, int(size), sha256), Path(to), base)
    except MmoeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
