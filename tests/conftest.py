"""What all tests share."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

# Before torch is imported, here and in what tests start: threads of several workers would spin against each
# other, and another number of threads adds up in another order.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Properties hold on a slow machine too: how long one takes is no part of it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """No garbage is looked for while test modules and their libraries are loaded: that finds next to none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/dvc/"))


@pytest.fixture(scope="session")
def releases() -> dict[str, Any]:
    """What published implementations compute on weights and inputs made by formula."""
    folder = os.environ.get("MMOE_REAL_DATA")
    if folder is None:
        pytest.skip("MMOE_REAL_DATA names no folder with releases.json")
    content: dict[str, Any] = json.loads((Path(folder) / "releases.json").read_text())
    return content


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder in which every stage has run on the tiny data set; all workers share one."""
    from tests.pipeline.project import build

    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built"
    with FileLock(f"{root}.lock"):
        if not root.exists():
            build(root.with_name("building"))
            root.with_name("building").rename(root)
    return root
