"""Bundles on the hub: downloaded once from a server that behaves like it, and what is uploaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import huggingface_hub
import pytest

from mmoe import Linker
from mmoe.errors import BundleError
from mmoe.linker.bundle import read_manifest
from mmoe.linker.hub import find_bundle, push_bundle

SHA = "a" * 40
NAME = "someone/a-bundle"


@pytest.fixture
def hub(built: Path) -> Iterator[tuple[str, list[str]]]:
    """The hub's answers about one bundle, and what it was asked for."""
    folder, asked = built / "data/bundles/tiny", list[str]()
    manifest = read_manifest(folder)
    names = ["manifest.json", *manifest.files]

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path.startswith(f"/api/models/{NAME}/revision/"):
                files = [{"rfilename": name} for name in names]
                self._answer(json.dumps({"id": NAME, "sha": SHA, "siblings": files}).encode())
            elif self.path.startswith(f"/api/models/{NAME}/tree/{SHA}"):
                tree = [
                    {
                        "type": "file",
                        "path": name,
                        "size": (folder / name).stat().st_size,
                        "oid": SHA,
                    }
                    for name in names
                ]
                self._answer(json.dumps(tree).encode())
            elif self.path.startswith(f"/{NAME}/resolve/{SHA}/"):
                self._answer((folder / self.path.split(f"/{SHA}/")[1]).read_bytes())
            else:
                self.send_error(404)

        do_HEAD = do_GET

        def _answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", SHA)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_bundle_is_downloaded_by_its_id_and_links(
    hub: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = hub
    # What the variables HF_ENDPOINT and HF_HUB_CACHE set when the library is loaded.
    urls = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", urls)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    linker = Linker.from_pretrained(NAME, device="cpu")
    assert linker.link("Mercury", "Mercury rose.")[0].qid.startswith("Q")
    assert any(path.endswith("/model.safetensors") for path in asked)
    folder = find_bundle(NAME)
    assert folder.is_relative_to(tmp_path)
    asked.clear()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert find_bundle(NAME) == folder
    assert asked == []


def test_what_the_hub_does_not_have_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(name: str, revision: str | None) -> str:
        assert revision is None
        raise huggingface_hub.errors.LocalEntryNotFoundError(f"no {name}\nin the cache")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lost)
    with pytest.raises(
        BundleError, match=r"^nobody/nothing: no such folder, and the hub .*no nobody"
    ):
        find_bundle("nobody/nothing")
    assert find_bundle("no/such/folder") == Path("no/such/folder").absolute()
    assert find_bundle(tmp_path) == tmp_path


def test_what_is_uploaded_is_what_the_manifest_names(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, calls = built / "data/bundles/tiny", list[Any]()

    class Api:
        def create_repo(self, name: str, **options: Any) -> str:
            calls.append((name, options))
            return f"https://hub/{name}"

        def upload_folder(self, **options: Any) -> None:
            calls.append(options)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    assert push_bundle(folder, NAME, private=True) == f"https://hub/{NAME}"
    assert calls[0] == (NAME, {"private": True, "exist_ok": True})
    assert set(calls[1]["allow_patterns"]) == {"manifest.json", *read_manifest(folder).files}
    monkeypatch.setattr(Api, "upload_folder", refused)
    with pytest.raises(BundleError, match="log in with `hf auth login`"):
        push_bundle(folder, NAME, private=True)


def refused(*_: Any, **__: Any) -> None:
    raise OSError("401 Unauthorized")


def test_a_revision_of_a_bundle_can_be_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(name: str, revision: str | None) -> str:
        asked.append((name, revision))
        return "somewhere"

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    for name in ("org/bundle@1f2e3d", "org/bundle@refs/pr/1", "org/bundle"):
        find_bundle(name)
    assert asked == [("org/bundle", "1f2e3d"), ("org/bundle", "refs/pr/1"), ("org/bundle", None)]
