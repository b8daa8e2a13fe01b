"""A small benchmark on a test's server, laid out as the public ones are."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from mmoe.datasets.download.sources import Benchmark, HeldOut, Source

from tests.datasets.download.server import Site, Trick
from tests.datasets.folders import record

IDS = tuple("abcde")
SPLITS = {"train": ["b", "a"], "valid": ["c"], "test": ["d", "e"]}


@dataclass(frozen=True)
class Names:
    """Where the parts lie on the server."""

    records: str = "Small-MEL/Small-MEL.zip"
    attributes: str = "data/qid2abs.json"
    long_attributes: str = "data/qid2abs_long.json"
    names: str = "data/qid2ne.json"
    splits: str = "data/splits.json"
    train: str = "data/train.json"
    test: str = "data/test.json"


AT = Names()


def publish(
    site: Site, *, held_out: bool, tricks: dict[str, list[Trick]] | None = None
) -> Benchmark:
    """Puts the benchmark on the server.

    Args:
        held_out: train.json and test.json instead of splits.json, and long attributes.
        tricks: what the server does to the first requests for a path.
    """

    def put(path: str, content: Any) -> Source:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return site.publish(path, raw, *(tricks or {}).get(path, []))

    lists = HeldOut(
        train=put(AT.train, {name: record(name) for name in "bca"}),
        test=put(AT.test, {name: record(name) for name in "de"}),
        num_valid=1,
    )
    return Benchmark(
        records=put(AT.records, zipped_records()),
        attributes=put(AT.attributes, {"Q1": "short"}),
        long_attributes=put(AT.long_attributes, {"Q1": "rather long"}) if held_out else None,
        names=put(AT.names, {"Q1": "Name", "Q9": "Nobody"}),
        splits=lists if held_out else put(AT.splits, SPLITS),
    )


def zipped_records(*members: str) -> bytes:
    """An archive that holds the records under each of the names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member in members or ("some folder/records.json",):
            content = {name: record(name) for name in IDS}
            # A fixed time: the archive is pinned by its hash.
            archive.writestr(zipfile.ZipInfo(member), json.dumps(content))
    return packed.getvalue()
