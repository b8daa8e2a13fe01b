"""The campaign's own state: a line for each trial, so that one that was killed goes on where it was."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

SHOWN = 5  # trials that find alike


@dataclass(frozen=True)
class Entry:
    """What came of one trial; `finding` is None if all went well."""

    attack: str
    number: int
    seconds: float
    finding: str | None


class Book:
    """The entries of one seed, in a file that lines are added to."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self.entries: list[Entry] = []
        lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
        if lines and not lines[-1].endswith(b"\n"):  # killed while it wrote
            file.write_bytes(b"".join(lines[:-1]))
            del lines[-1]
        self.entries = [Entry(**json.loads(line)) for line in lines]
        self.done = Counter(entry.attack for entry in self.entries)

    def add(self, entry: Entry) -> None:
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(entry)) + "\n")
        self.entries.append(entry)
        self.done[entry.attack] += 1

    def findings(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.finding is not None]

    def table(self) -> str:
        """Markdown: a line a kind of attack, then what was found."""
        rows = ["| attack | targets | trials | findings | minutes |", "|---|---:|---:|---:|---:|"]
        kinds = dict.fromkeys(entry.attack.partition(": ")[0] for entry in self.entries)
        for kind in kinds:
            own = [entry for entry in self.entries if entry.attack.startswith(f"{kind}: ")]
            found = sum(entry.finding is not None for entry in own)
            minutes = sum(entry.seconds for entry in own) / 60
            targets = len({entry.attack for entry in own})
            rows.append(f"| {kind} | {targets} | {len(own):,} | {found} | {minutes:.1f} |")
        alike: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.findings():
            text = re.sub(r"[0-9a-f]*\d[0-9a-f.]*", "#", entry.finding or "")
            alike.setdefault((entry.attack, text), []).append(entry)
        for (name, _), entries in alike.items():
            numbers = ", ".join(str(entry.number) for entry in entries[:SHOWN])
            rows += ["", f"{len(entries)} × {name}, trial {numbers}: {entries[0].finding}"]
        return "\n".join(rows)
