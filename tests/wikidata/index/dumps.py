"""Small dumps with what a dump holds, and what a slow and obvious reader makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.wikidata.index.build import Built, build_index
from mmoe.wikidata.index.parts import RunOptions
from mmoe.wikidata.selection import Selection

from tests.wikidata.knowledge.world import item_value, statement

ENGLISH = Selection(("en",))
FINE = {"block": 3000, "blocks_per_chunk": 2}  # so that a few lines make many chunks


def entity(qid: str, label: str | None = None, kinds: Sequence[str] = (), **more: Any) -> bytes:
    """An item as the dump writes it, comma left out."""
    terms = {} if label is None else {"en": {"language": "en", "value": label}}
    claims = {"P31": [statement(item_value(kind)) for kind in kinds]} if kinds else []
    fields = {"type": "item", "id": qid, "labels": terms, "claims": claims}
    return json.dumps(fields | more, separators=(",", ":"), ensure_ascii=False).encode()


def many(number: int) -> list[bytes]:
    """Lines of all kinds; the numbers of the items neither begin at 1 nor rise."""
    lines = [
        entity(f"Q{7919 * n % 10007 + 1}", f"Name {n % 41}", ["Q5"], aliases=_aliases(n))
        for n in range(number)
    ]
    lines[5::50] = [entity("Q77", "Standing often", ["Q5"]) for _ in lines[5::50]]
    lines[6::20] = [entity(f"Q{20000 + n}", "X", ["Q4167410"]) for n, _ in enumerate(lines[6::20])]
    lines[7::40] = [b'{"type":"item","id":"Q1"' for _ in lines[7::40]]
    return lines


def _aliases(number: int) -> dict[str, Any]:
    return {"en": [{"language": "en", "value": f"alias {number % 17}"}]} if number % 3 else {}


def dump_bytes(lines: Sequence[bytes]) -> bytes:
    """The lines as a dump."""
    return b"[\n" + b",\n".join(lines) + b"\n]\n"


def write_dump(path: Path, lines: Sequence[bytes]) -> Path:
    path.write_bytes(dump_bytes(lines))
    return path


def build(dump: Path | str, folder: Path, selection: Selection = ENGLISH, **options: Any) -> Built:
    """Builds with chunks of few lines."""
    return build_index(str(dump), folder, selection, RunOptions(**FINE | options))


def table(folder: Path, name: str) -> pa.Table:
    """All rows of a table, files in the order of their names."""
    return pa.concat_tables([pq.read_table(file) for file in sorted((folder / name).iterdir())])


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too, by its path in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
