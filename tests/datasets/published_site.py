"""A small benchmark on a web server of the loopback, laid out as the public ones are."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from mmoe.datasets.catalogue import Benchmark

from tests.datasets.folders import record
from tests.loopback import LoopbackHandler, running

ZIPS, LISTS = (f"someone/benchmark/{'0' * 40}/{folder}" for folder in ("some folder", "data"))
SPLITS = {"train": ["b", "a"], "valid": ["c"], "test": ["d", "e"]}


@dataclass
class Site:
    """What the server has, the status that it answers some paths with first, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, list[int]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    base: str = ""

    def asked(self) -> list[str]:
        """The names of the files that were asked for since the last call."""
        names = [path.rpartition("/")[2] for path in self.log]
        self.log.clear()
        return names


class _Handler(LoopbackHandler):
    site: Site

    def do_GET(self) -> None:
        site, path = self.site, unquote(self.path)
        site.log.append(path)
        refusals = site.refusals.get(path.rpartition("/")[2], [])
        status = refusals.pop(0) if refusals else 200 if path in site.files else 404
        self.send(status, site.files.get(path, b""), {})


@contextmanager
def serving() -> Iterator[Site]:
    """Runs a server with an empty site for as long as the context lasts."""
    site = Site()
    with running(type("SiteHandler", (_Handler,), {"site": site}), threading.Event()) as site.base:
        yield site


def publish(site: Site, *, held_out: bool) -> Benchmark:
    """Puts the benchmark on the server.

    Args:
        held_out: train.json and test.json instead of splits.json, and long attributes.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member in ("in it/ä.json", "readme.txt", "__MACOSX/._ä.json"):
            # A fixed time: the archive is pinned by its hash.
            archive.writestr(zipfile.ZipInfo(member), records("abcde"))
    files = {"qid2abs.json": '{"Q1": "short"}', "qid2ne.json": '{"Q1": "Name", "Q9": "Nobody"}'}
    if held_out:
        files |= {"qid2abs_long.json": '{"Q1": "rather long"}'}
        files |= {"train.json": records("bca"), "test.json": records("de")}
    else:
        files |= {"splits.json": json.dumps(SPLITS)}
    contents = {ZIPS: {"Small-MEL.zip": packed.getvalue()}}
    contents |= {LISTS: {name: content.encode() for name, content in files.items()}}
    folders = {}
    for folder, named in contents.items():
        site.files |= {f"/{folder}/{name}": content for name, content in named.items()}
        folders[folder] = {name: hashlib.sha256(named[name]).hexdigest() for name in named}
    return Benchmark(folders, num_valid=1)


def records(names: str) -> str:
    return json.dumps({name: record(name) for name in names})
