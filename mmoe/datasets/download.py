"""A benchmark's public files by pinned commit, fetched by pooch and laid out as its reader wants them."""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import platformdirs
import pooch
import requests
from tqdm import tqdm

from mmoe.datasets.catalogue import GITHUB_LFS, Benchmark, HeldOut, Source
from mmoe.datasets.melbench import ATTRIBUTES, SPLIT_IDS
from mmoe.datasets.rows import read_json_object
from mmoe.errors import DataError, one_line
from mmoe.files import atomic_write, sha256_of

LARGEST = 256 * 1024**2  # bytes; the known members hold less than a tenth
MAC_EXTRAS = "__MACOSX"  # macOS puts a copy of each name there, with the file's attributes in it
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
    if long and benchmark.long_attributes is None:
        raise DataError(f"{folder}: this data set has no long attributes; leave out --long")
    cache = cache or platformdirs.user_cache_path("mmoe") / "downloads"
    files = benchmark.files(long=long)
    fetched = _fetch([s for sources in files.values() for s in sources], mirror, cache, retries)
    made = {name: _made(benchmark, name, [fetched[s] for s in files[name]]) for name in files}
    lacking = {
        name: content for name, content in made.items() if not _holds(folder / name, content)
    }
    for name in lacking:
        _refuse_stranger(folder / name, benchmark)
    for name, content in lacking.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_bytes(content)
    return bool(lacking)


def _fetch(sources: Sequence[Source], mirror: str, cache: Path, retries: int) -> dict[Source, Path]:
    """The sources as verified files in `cache`."""
    pooch.get_logger().setLevel(logging.WARNING)
    shelf = pooch.create(
        path=cache,
        base_url="",
        registry={source.key: source.sha256 for source in sources},
        urls={source.key: source.url(mirror) for source in sources},
        retry_if_failed=retries,
    )
    shown = tqdm(sources, desc="download", unit="file", disable=None)
    return {source: _fetch_one(shelf, source, mirror) for source in shown}


def _fetch_one(shelf: pooch.Pooch, source: Source, mirror: str) -> Path:
    url = source.url(mirror)
    try:
        return Path(shelf.fetch(source.key, downloader=_get))
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


def _made(benchmark: Benchmark, name: str, fetched: Sequence[Path]) -> bytes:
    """The content of one file of the data set."""
    if name == benchmark.records_file:
        return extract_json(fetched[0])
    if name == SPLIT_IDS and isinstance(benchmark.splits, HeldOut):
        train, test = (record_ids(file) for file in fetched)
        splits = split_by_hash(train, test, benchmark.splits.num_valid)
        return (json.dumps(splits, indent=2, ensure_ascii=False) + "\n").encode()
    return fetched[0].read_bytes()


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and sha256_of(file) == hashlib.sha256(content).hexdigest()


def _refuse_stranger(file: Path, benchmark: Benchmark) -> None:
    """Refuses to write over a file that was not published; long and short attributes may change places."""
    published = {
        s.sha256 for s in (benchmark.attributes, benchmark.long_attributes) if s is not None
    }
    if file.exists() and not (file.name == ATTRIBUTES and sha256_of(file) in published):
        raise DataError(
            f"{file}: is another file than the published one; move it away, or choose another "
            "folder with --to"
        )


def extract_json(archive: Path, largest: int = LARGEST) -> bytes:
    """The only .json member of a zip; its name in the archive decides nothing about where it is written.

    Args:
        largest: the size in bytes beyond which a member is refused.
    Raises:
        DataError: if it is no zip, or holds none or several, or one that is unsafe or too large.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            member = _only_json(archive, content)
            if member.file_size > largest:
                raise DataError(
                    f"{archive}: {member.filename!r} holds {member.file_size:,} bytes, more than "
                    f"the {largest:,} that are taken; look into the archive"
                )
            return content.read(member)
    # RuntimeError: the member is encrypted, or packed by a method that Python lacks.
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(
            f"{archive}: can't be unpacked ({one_line(error)}); remove it and fetch it again"
        ) from None


def _only_json(archive: Path, content: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = [member.filename.replace("\\", "/") for member in content.infolist()]
    for name in names:
        if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
            raise DataError(
                f"{archive}: member {name!r} leads out of the archive; don't use this file"
            )
    found = [
        member
        for member in content.infolist()
        if member.filename.lower().endswith(".json")
        and PurePosixPath(member.filename).parts[0] != MAC_EXTRAS
    ]
    if len(found) != 1:
        shown = ", ".join(member.filename for member in found) or "none"
        raise DataError(f"{archive}: wanted one .json member, found {shown}; look into the archive")
    return found[0]


def split_by_hash(
    train_ids: Sequence[str], test_ids: Sequence[str], num_valid: int
) -> dict[str, list[str]]:
    """Takes valid out of train: the ids whose SHA-256 (hex, of the id) sorts first.

    Args:
        train_ids: train and valid together, in file order.
        num_valid: how many of them go to valid.
    Returns:
        train, valid and test; each keeps the order in which its ids came.
    Raises:
        DataError: if an id stands twice or in both parts, or there are not more than num_valid.
    """
    twice = [name for name, times in Counter([*train_ids, *test_ids]).items() if times > 1]
    if twice:
        raise DataError(f"id {twice[0]!r} stands twice in train and test; ids must be unique")
    if len(train_ids) <= num_valid:
        raise DataError(
            f"{len(train_ids)} train ids: too few to take {num_valid} for valid; fetch the file again"
        )
    by_hash = sorted(train_ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    chosen = set(by_hash[:num_valid])
    return {
        "train": [name for name in train_ids if name not in chosen],
        "valid": [name for name in train_ids if name in chosen],
        "test": list(test_ids),
    }


def record_ids(file: Path) -> list[str]:
    """The ids of a file of records in MELBench's format, in file order.

    Raises:
        DataError: if the file is no object of records.
    """
    records = read_json_object(file)
    for key, record in records.items():
        if not isinstance(record, dict) or str(record.get("id", key)) != key:
            raise DataError(
                f"{file}, record {key!r}: must be an object with that id; fetch the file again"
            )
    return list(records)


MIMIC_ADDRESS = "https://github.com/pengfei-luo/MIMIC"
# Proposed folder -> the name that the release gives its three lists of mentions.
MIMIC_RELEASES = {
    "mimic-wikimel": "WIKIMEL",
    "mimic-richpediamel": "RichpediaMEL",
    "mimic-wikidiverse": "wiki_diverse",
}


def mimic_page(parent: Path) -> str:
    """How to get MIMIC's three data sets, which only a browser can fetch, to be unpacked below `parent`."""
    lines = [
        "MIMIC's data sets (full knowledge bases and images) stand behind links that want a",
        "browser and a password, so they can't be fetched here. Links and password are in",
        f"the readme of {MIMIC_ADDRESS}, step 2. Unpack each archive so that",
        "these files lie directly in its folder:",
    ]
    for folder, prefix in MIMIC_RELEASES.items():
        files = {
            f"{prefix}_{{train,dev,test}}.json": "the mentions, three files",
            "kb_entity.json": "the knowledge base",
            "qid2id.json": "row of each entity",
            "kb_image/": "the entities' images",
            "mention_image/ or mention_images/": "the mentions' images",
        }
        lines += [
            "",
            f"{parent / folder}/",
            *(f"  {name:<36}{what}" for name, what in files.items()),
        ]
    checks = [f"  mmoe check {parent / folder}" for folder in MIMIC_RELEASES]
    return "\n".join([*lines, "", "Then look what is missing:", *checks])
