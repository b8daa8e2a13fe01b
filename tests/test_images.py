"""Images are opened alike, be they files or members of an HDF5 file, from many threads at once."""

from __future__ import annotations

import hashlib
import io
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from mmoe.images import archive_keys, image_file, member_name, read_image

from tests.datasets.fissfuse_folder import PIXELS, png, stored, write_archive

PINNED = "39509c85b225cce1724a1330aaf8fa8cc8cd7b4610b4f77a74bbb81087ca1ee9"


def archive(folder: Path, value: Any) -> str:
    """The name of a member that holds this value."""
    write_archive(folder / "a.h5", {"entity_image/x": value})
    return member_name("a.h5", "entity_image/x")


def test_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.png").write_bytes(png())
    assert read_image(tmp_path, "x/a.png") == png()
    assert image_file(tmp_path, "x/a.png") == tmp_path / "x/a.png"


@pytest.mark.parametrize(
    "value",
    [
        stored(png()),
        np.void(png()),
        np.array(stored(png()), dtype=h5py.vlen_dtype(np.uint8)),
    ],
    ids=["uint8", "opaque", "vlen"],
)
def test_bytes_come_back_as_they_were(tmp_path: Path, value: Any) -> None:
    if value.dtype == object:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("x", (), dtype=h5py.vlen_dtype(np.uint8))[()] = stored(png())
        name = member_name("a.h5", "x")
    else:
        name = archive(tmp_path, value)
    assert read_image(tmp_path, name) == png()
    assert image_file(tmp_path, name) == tmp_path / "a.h5"


@settings(max_examples=20, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))))
def test_an_array_becomes_a_png_of_the_same_pixels(pixels: np.ndarray[Any, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        member = archive(folder, pixels)
        first, second = read_image(folder, member), read_image(folder, member)
    assert first == second
    with Image.open(io.BytesIO(first)) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), pixels)


def test_the_bytes_of_an_array_never_change(tmp_path: Path) -> None:
    """Features are kept by the hash of these bytes."""
    found = hashlib.sha256(read_image(tmp_path, archive(tmp_path, PIXELS))).hexdigest()
    assert found == PINNED


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (np.zeros((4, 3), np.uint8), r"found uint8 of shape \(4, 3\)"),
        (np.zeros((4, 3, 4), np.uint8), r"found uint8 of shape \(4, 3, 4\)"),
        (np.zeros((0, 3, 3), np.uint8), r"found uint8 of shape \(0, 3, 3\)"),
        (np.zeros((4, 3, 3)), r"found float64 of shape \(4, 3, 3\)"),
        (7, r"found int64 of shape \(\)"),
        (h5py.Empty("uint8"), r"found uint8"),
    ],
)
def test_a_member_that_is_no_image(tmp_path: Path, value: Any, found: str) -> None:
    name = archive(tmp_path, value)
    with pytest.raises(OSError, match=rf"a\.h5, member 'entity_image/x': wanted the b.*{found}"):
        read_image(tmp_path, name)


@pytest.mark.parametrize("key", ["entity_image", ""])
def test_a_group_is_no_image(tmp_path: Path, key: str) -> None:
    archive(tmp_path, PIXELS)
    with pytest.raises(OSError, match=r"a\.h5, member "):
        read_image(tmp_path, f"a.h5::{key}")


@pytest.mark.parametrize("key", ["entity_image/y", "no/such", "link"])
def test_a_missing_member_is_a_missing_file(tmp_path: Path, key: str) -> None:
    archive(tmp_path, PIXELS)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["link"] = h5py.SoftLink("/gone")
    with pytest.raises(FileNotFoundError, match=rf"a\.h5, member '{key}': no such member"):
        read_image(tmp_path, f"a.h5::{key}")


@pytest.mark.parametrize("name", ["gone.png", "gone.h5::x"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path, name)


def test_a_file_that_is_no_hdf5(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"text" * 500)
    for call in (
        lambda: read_image(tmp_path, "a.h5::x"),
        lambda: archive_keys(tmp_path / "a.h5"),
    ):
        with pytest.raises(OSError, match="open"):
            call()


def test_many_threads_read_what_each_asked_for(tmp_path: Path) -> None:
    values = {f"entity_image/{n}": stored(bytes([n % 251]) * (n + 1)) for n in range(300)}
    write_archive(tmp_path / "a.h5", values)

    def length(n: int) -> bool:
        return read_image(tmp_path, f"a.h5::entity_image/{n}") == bytes([n % 251]) * (n + 1)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(length, [n for n in range(300) for _ in range(3)]))


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    name = archive(tmp_path, stored(b"old"))
    assert read_image(tmp_path, name) == b"old"
    assert read_image(tmp_path, archive(tmp_path, stored(b"newer"))) == b"newer"
