"""Bundles on the Hugging Face hub; nothing is asked of it before somebody does."""

from __future__ import annotations

import re
from pathlib import Path

from mmoe.errors import BundleError, one_line
from mmoe.linker.bundle import MANIFEST, read_manifest

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def find_bundle(name: Path | str) -> Path:
    """The folder of a bundle; one on the hub is downloaded, where it is not already there.

    Args:
        name: a folder, or an id on the hub; `org/name@revision` pins a commit, tag or branch of it.
    Raises:
        BundleError: if it is neither.
    """
    folder = Path(name)
    if folder.exists() or not isinstance(name, str) or not HUB_ID.fullmatch(name):
        return folder.absolute()
    # Imported here: who opens a folder need not wait for it.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        hub_id, _, revision = name.partition("@")
        return Path(snapshot_download(hub_id, revision=revision or None))  # nosec B615
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise BundleError(
            f"{name}: no such folder, and the hub gives no bundle of this name ({one_line(error)}); name a "
            "folder, or an id that it has"
        ) from None


def push_bundle(folder: Path, name: str, *, private: bool) -> str:
    """Uploads a bundle, with the token that `hf auth login` has left; returns its address.

    Raises:
        BundleError: if it is no whole bundle, or the hub does not take it.
    """
    manifest = read_manifest(folder, check=True)
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        address = api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=name,
            folder_path=folder,
            allow_patterns=[MANIFEST, *manifest.files],
            delete_patterns=["kb-*/**"],
        )
    except Exception as error:  # its HTTP client raises errors of its own
        raise BundleError(
            f"{name}: the hub does not take the bundle ({one_line(error)}); log in with `hf auth login`, "
            "and name an id in an account that is yours"
        ) from None
    return str(address)
