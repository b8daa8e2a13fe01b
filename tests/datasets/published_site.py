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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from mmoe.datasets.catalogue import Benchmark, HeldOut, Source

from tests.datasets.folders import record

REPOSITORY, COMMIT = "someone/benchmark", "0" * 40
SPLITS = {"train": ["b", "a"], "valid": ["c"], "test": ["d", "e"]}


@dataclass
class Site:
    """What the server has, the status that it answers some paths with first, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, list[int]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    base: str = ""

    def publish(self, path: str, content: bytes) -> Source:
        """Puts a file on the server and says how it is pinned."""
        self.files[f"/{REPOSITORY}/{COMMIT}/{path}"] = content
        return Source(REPOSITORY, COMMIT, path, hashlib.sha256(content).hexdigest())

    def replace(self, path: str, content: bytes) -> None:
        """Serves something else than is pinned."""
        self.files[f"/{REPOSITORY}/{COMMIT}/{path}"] = content

    def asked(self) -> list[str]:
        """The names of the files that were asked for since the last call."""
        names = [path.rpartition("/")[2] for path in self.log]
        self.log.clear()
        return names


@contextmanager
def serving() -> Iterator[Site]:
    """Runs a server with an empty site for as long as the context lasts."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            site.log.append(path)
            refusals = site.refusals.get(path.rpartition("/")[2], [])
            body = site.files.get(path, b"")
            self.send_response(refusals.pop(0) if refusals else 200 if path in site.files else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.base = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def publish(site: Site, *, held_out: bool) -> Benchmark:
    """Puts the benchmark on the server.

    Args:
        held_out: train.json and test.json instead of splits.json, and long attributes.
    """

    def put(path: str, content: Any) -> Source:
        return site.publish(path, json.dumps(content).encode())

    lists = HeldOut(
        train=put("data/train.json", {name: record(name) for name in "bca"}),
        test=put("data/test.json", {name: record(name) for name in "de"}),
        num_valid=1,
    )
    return Benchmark(
        records=site.publish("some folder/Small-MEL.zip", zipped("in it/ä.json")),
        attributes=put("data/qid2abs.json", {"Q1": "short"}),
        long_attributes=put("data/qid2abs_long.json", {"Q1": "rather long"}) if held_out else None,
        names=put("data/qid2ne.json", {"Q1": "Name", "Q9": "Nobody"}),
        splits=lists if held_out else put("data/splits.json", SPLITS),
    )


def zipped(*members: str, content: str | None = None) -> bytes:
    """An archive with these members; each holds the records, if no other content is given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member in members:
            text = (
                json.dumps({name: record(name) for name in "abcde"}) if content is None else content
            )
            # A fixed time: the archive is pinned by its hash.
            archive.writestr(zipfile.ZipInfo(member), text)
    return packed.getvalue()
