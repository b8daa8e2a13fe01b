"""A bundle: everything that links mentions, in one folder.

manifest.json            format, versions, size and hash of every file, the current knowledge base
README.md, config.json   model card, and what the matcher is
model.safetensors        the matcher; reranker.* and reranker_terms.parquet, what puts shortlists in order
words.json               how rare words are among candidates' texts, by which BM25 chooses descriptions
labels                   label index in which candidates are looked up
examples.json, examples  mentions to show
encoder                  the encoder, where it is not one that everybody can get by its name
kb-<n>                   a knowledge base, see `kb_files`

Every change of the knowledge base is a new kb-<n>, and then the manifest is renamed into place: a
reader sees the old one or the new one. An old one is removed once nobody reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mmoe.errors import BundleError, DataError
from mmoe.files import read_json, sha256_of, write_json

FORMAT = 1
MANIFEST, CARD, CONFIG = "manifest.json", "README.md", "config.json"
MATCHER, ENCODER, WORDS, LABELS = "model.safetensors", "encoder", "words.json", "labels"
KB = "kb-"
KB_NAME = re.compile(r"kb-\d+")
MAKE = "make it anew: mmoe bundle DATASET FOLDER"


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        name: of the data set on which it was trained.
        kb: folder of the current knowledge base.
        code: names the code that computed its index; other code computes it anew.
        index: by which the index knows that it belongs to this matcher and knowledge base.
        settings: sections `retrieve` and `rank`: how descriptions are chosen.
        files: size in bytes and SHA-256, by path.
        versions: of the packages that made it.
    """

    name: str
    kb: str
    code: str
    index: str
    settings: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """How often its knowledge base was changed."""
        return int(self.kb.removeprefix(KB))

    @property
    def next_kb(self) -> str:
        """Folder of the knowledge base that comes after this one."""
        return f"{KB}{self.changes + 1}"


def write_manifest(folder: Path, manifest: Manifest, unchanged: Manifest | None = None) -> Manifest:
    """Hashes the files of a bundle and writes its manifest, which makes it one.

    Args:
        unchanged: the manifest before, whose files that are still there are as they were.
    """
    known = {} if unchanged is None else unchanged.files
    versions = {package: version(package) for package in ("mmoe", "torch", "transformers")}
    files = {}
    for path in _files_of(folder, manifest.kb):
        name = path.relative_to(folder).as_posix()
        files[name] = known.get(name) or {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    whole = replace(manifest, files=files, versions=versions)
    write_json(folder / MANIFEST, {"format": FORMAT} | vars(whole))
    return whole


def read_manifest(folder: Path, *, files: bool = True, check: bool = False) -> Manifest:
    """Reads what a bundle says of itself, and looks whether it is so.

    Args:
        files: whether all files must be there, in their sizes.
        check: whether their contents are compared with the hashes, too.
    Raises:
        BundleError: if it is no bundle or one of another format, or a file is missing or not the one that was
            written.
    """
    path = folder / MANIFEST
    if not path.is_file():
        reason = f"holds no {MANIFEST}, so it is no bundle" if folder.is_dir() else "no such folder"
        if folder.is_file():
            reason = "a file, and a bundle is a folder"
        raise BundleError(f"{folder}: {reason}; {MAKE}")
    try:
        content = dict(read_json(path))
        found = content.pop("format")
    except (DataError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path}: not the manifest of a bundle ({error}); {MAKE}") from None
    if found != FORMAT:
        versions = content.get("versions")
        made_by = versions.get("mmoe") if isinstance(versions, dict) else "that made it"
        raise BundleError(
            f"{folder}: a bundle of format {found}, and this version reads {FORMAT}; {MAKE}, or install "
            f"the version of mmoe {made_by}"
        )
    try:
        manifest = Manifest(**content)
        known = {name: (each["bytes"], each["sha256"]) for name, each in manifest.files.items()}
        if not KB_NAME.fullmatch(manifest.kb) or not isinstance(manifest.settings, dict):
            raise ValueError("no knowledge base of its own")
        if lost := {MATCHER, f"{manifest.kb}/entities.parquet"} - known.keys():
            raise ValueError(f"lacks {min(lost)}")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BundleError(f"{path}: not the manifest of a bundle ({error}); {MAKE}") from None
    for name, (size, sha256) in known.items() if files else ():
        _check(folder, name, size, sha256 if check else None)
    return manifest


def _check(folder: Path, name: str, size: int, sha256: str | None) -> None:
    path = folder / name
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise BundleError(
            f"{folder / MANIFEST}: names a file outside of the bundle, {name}; {MAKE}"
        )
    if not path.is_file():
        raise BundleError(f"{path}: missing; copy the whole bundle again, or {MAKE}")
    if path.stat().st_size != size or (sha256 is not None and sha256_of(path) != sha256):
        raise BundleError(
            f"{path}: not the file that was written (another size or hash); copy the bundle again, or {MAKE}"
        )


def _files_of(folder: Path, kb: str) -> Iterator[Path]:
    """All files but the manifest, hidden ones and those of other knowledge bases."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_other_kb = parts[0].startswith(KB) and parts[0] != kb
        is_hidden = any(part.startswith(".") for part in parts)
        if path.is_file() and not is_other_kb and not is_hidden and parts != (MANIFEST,):
            yield path
