"""Ray Data gives the same index; without Ray, `--ray` says how to get it."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.errors import WikidataError

from tests.wikidata.index.dumps import ENGLISH, build, dump_bytes, expected, many, tree

has_ray = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not has_ray, reason="Ray is not installed: pip install 'ray[data]'")


def split_dump(folder: Path, lines: list[bytes]) -> Path:
    folder.mkdir()
    data = dump_bytes(lines).splitlines(keepends=True)
    for number in range(4):
        part = data[number * len(data) // 4 : (number + 1) * len(data) // 4]
        (folder / f"x-a{number}").write_bytes(b"".join(part))
    return folder


@pytest.fixture(scope="module")
def two_workers() -> Iterator[None]:
    import ray  # type: ignore[import-not-found, unused-ignore]

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@needs_ray
@pytest.mark.usefixtures("two_workers")
# Ray's own processes warn of things that are none of ours.
@pytest.mark.filterwarnings("ignore")
def test_two_workers_give_the_same(tmp_path: Path) -> None:
    dump = split_dump(tmp_path / "split", many(200))
    built = build(dump, tmp_path / "ray", ray=True)
    build(dump, tmp_path / "plain")
    assert tree(tmp_path / "ray") == tree(tmp_path / "plain")
    assert built.source["skipped"] == expected(many(200), ENGLISH)[1]


def test_without_ray_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)
    dump = split_dump(tmp_path / "split", many(20))
    with pytest.raises(
        WikidataError, match=r"Ray Data is not installed; pip install 'ray\[data\]'"
    ):
        build(dump, tmp_path / "out", ray=True)


def test_standard_input_can_not_be_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[\n")))
    with pytest.raises(WikidataError, match="--ray: spreads files, and standard input is none"):
        build("-", tmp_path / "out", ray=True)
