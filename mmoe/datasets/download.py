"""A benchmark's public files by pinned commit, fetched by pooch and laid out as its reader wants them."""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs
import pooch
import requests
from tqdm import tqdm

from mmoe.datasets.catalogue import GITHUB_LFS, LONG_ATTRIBUTES, Benchmark
from mmoe.datasets.melbench import ATTRIBUTES, NAMES, SPLIT_IDS
from mmoe.datasets.rows import read_json_object
from mmoe.errors import DataError, one_line
from mmoe.files import atomic_write, sha256_of

RETRIES = 3
SILENCE = 30  # seconds without a byte

_REMEDIES = {
    401: "the server wants a login; name another server with --mirror",
    403: "a firewall or the server refuses; try another network or name a server with --mirror",
    404: "the file is gone from that address; name a server that has it with --mirror",
    407: "the proxy wants a login; put it into HTTPS_PROXY",
}


def download(
    benchmark: Benchmark,
    folder: Path,
    mirror: str,
    *,
    long: bool = False,
    cache: Path | None = None,
    retries: int = RETRIES,
) -> bool:
    """Fetches a benchmark into `folder`; what is there and right is not fetched again.

    A file appears in `folder` when all of them have arrived and their hashes are right.

    Args:
        mirror: the server's address, in the place of raw.githubusercontent.com.
        long: take the long attributes instead of the short ones.
        cache: keeps what was fetched; None: the user's cache folder.
        retries: of a failed request.
    Returns:
        whether a file was written.
    Raises:
        DataError: if a file can't be fetched or is another one, or a file of yours is in the way.
    """
    files = benchmark.files(long=long)
    if long and LONG_ATTRIBUTES not in files:
        raise DataError(f"{folder}: this data set has no long attributes; leave out --long")
    pooch.get_logger().setLevel(logging.WARNING)
    shelf = pooch.create(
        path=cache or platformdirs.user_cache_path("mmoe") / "downloads",
        base_url=f"{mirror.rstrip('/')}/",
        registry=dict(files.values()),
        retry_if_failed=retries,
    )
    shown = tqdm(files.items(), desc="download", unit="file", disable=None)
    fetched = {name: _fetch(shelf, path) for name, (path, _) in shown}
    made = _made(fetched, benchmark.num_valid)
    lacking = {name: made[name] for name in made if not _holds(folder / name, made[name])}
    published = {sha256 for names in benchmark.folders.values() for sha256 in names.values()}
    for name in lacking:
        # The long attributes and the short ones may change places.
        if (folder / name).exists() and sha256_of(folder / name) not in published:
            raise DataError(
                f"{folder / name}: is another file than the published one; move it away, or choose another "
                "folder with --to"
            )
    for name, content in lacking.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_bytes(content)
    return bool(lacking)


def _fetch(shelf: pooch.Pooch, path: str) -> Path:
    """A verified file in the cache."""
    url = shelf.get_url(path)
    try:
        return Path(shelf.fetch(path, downloader=_get))
    except requests.HTTPError as error:
        status = error.response.status_code
        remedy = _REMEDIES.get(status, "try later, or name another server with --mirror")
        raise DataError(f"{url}: HTTP {status} {error.response.reason}; {remedy}") from None
    except requests.exceptions.SSLError as error:
        raise DataError(
            f"{url}: no secure connection ({one_line(error)}); if your network puts its own certificate "
            "in between, name it in REQUESTS_CA_BUNDLE"
        ) from None
    except requests.RequestException as error:
        raise DataError(
            f"{url}: no answer ({one_line(error)}); look at the network, the proxy and --mirror, "
            "and run the command again"
        ) from None
    except ValueError:  # pooch: the hash is another one
        raise DataError(
            f"{url}: not the published file, its SHA-256 is another one; a proxy or a login page may have "
            f"answered: try another network or --mirror (of files in Git LFS: {GITHUB_LFS})"
        ) from None


def _get(url: str, to: str, _: Any) -> None:
    """As pooch's own downloader, whose connection stays open where the server refuses."""
    with requests.get(url, stream=True, timeout=SILENCE) as answer, Path(to).open("wb") as out:
        answer.raise_for_status()
        for chunk in answer.iter_content(1 << 16):
            out.write(chunk)


def _made(fetched: Mapping[str, Path], num_valid: int) -> dict[str, bytes]:
    """The files of the data set. The hashes of what was fetched are right, so its form is known."""
    made = {}
    for name, file in fetched.items():
        if file.suffix == ".zip":
            made[f"{file.stem}.json"] = _unzipped(file)
        elif name == LONG_ATTRIBUTES:
            made[ATTRIBUTES] = file.read_bytes()
        elif name in {ATTRIBUTES, NAMES, SPLIT_IDS}:
            made[name] = file.read_bytes()
    if SPLIT_IDS not in made:
        train, test = (
            list(read_json_object(fetched[f"{part}.json"])) for part in ("train", "test")
        )
        splits = split_by_hash(train, test, num_valid)
        made[SPLIT_IDS] = (json.dumps(splits, indent=2, ensure_ascii=False) + "\n").encode()
    return made


def _unzipped(archive: Path) -> bytes:
    """The archive's only .json member, beside which macOS puts one with the file's attributes."""
    with zipfile.ZipFile(archive) as content:
        names = [name for name in content.namelist() if name.endswith(".json")]
        (member,) = (name for name in names if not name.startswith("__MACOSX/"))
        return content.read(member)


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and sha256_of(file) == hashlib.sha256(content).hexdigest()


def split_by_hash(
    train_ids: Sequence[str], test_ids: Sequence[str], num_valid: int
) -> dict[str, list[str]]:
    """Takes valid out of train: the `num_valid` ids whose SHA-256 (hex, of the id) sorts first.

    Args:
        train_ids: train and valid together.
    Returns:
        train, valid and test; each keeps the order in which its ids came.
    """
    by_hash = sorted(train_ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    chosen = set(by_hash[:num_valid])
    return {
        "train": [name for name in train_ids if name not in chosen],
        "valid": [name for name in train_ids if name in chosen],
        "test": list(test_ids),
    }


# Proposed folder -> the name that the release gives its three lists of mentions.
MIMIC_RELEASES = {
    "mimic-wikimel": "WIKIMEL",
    "mimic-richpediamel": "RichpediaMEL",
    "mimic-wikidiverse": "wiki_diverse",
}
_MIMIC_HEAD = """\
MIMIC's data sets (full knowledge bases and images) stand behind links that want a
browser and a password, so they can't be fetched here. Links and password are in
the readme of https://github.com/pengfei-luo/MIMIC, step 2. Unpack each archive so that
these files lie directly in its folder:
"""
_MIMIC_FOLDER = """
{folder}/
  {lists:<36}the mentions, three files
  kb_entity.json                      the knowledge base
  qid2id.json                         row of each entity
  kb_image/                           the entities' images
  mention_image/ or mention_images/   the mentions' images
"""


def mimic_page(parent: Path) -> str:
    """How to get MIMIC's three data sets, which only a browser can fetch, to be unpacked below `parent`."""
    lists = {parent / name: prefix for name, prefix in MIMIC_RELEASES.items()}
    folders = "".join(
        _MIMIC_FOLDER.format(folder=folder, lists=f"{prefix}_{{train,dev,test}}.json")
        for folder, prefix in lists.items()
    )
    checks = "\n".join(f"  mmoe check {folder}" for folder in lists)
    return f"{_MIMIC_HEAD}{folders}\nThen look what is missing:\n{checks}"
