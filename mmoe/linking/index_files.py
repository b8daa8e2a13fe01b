"""Encoded entities in files: written a batch at a time, read back as memory-mapped tensors.

An index is as large as the token vectors of a whole knowledge base; only those of the few pairs that bounds
leave open are ever read. Mapped from files, they take memory only while there is some to spare.
"""

from __future__ import annotations

import mmap
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray

from mmoe.errors import DataError, LinkingError
from mmoe.files import read_sealed_json, write_sealed_json
from mmoe.model.encoded import EncodedEntities, EncodedUnit
from mmoe.model.packed import Packed

MANIFEST = "manifest.json"
INNER, SPARSE, COLUMN = "inner", "sparse", "column"
CHECKSUM = "crc32"
PIECE = 1 << 24  # bytes
Arrays = dict[str, NDArray[Any]]


def write_index(folder: Path, parts: Iterable[EncodedEntities], made_of: str) -> None:
    """Writes the entities of all parts, in order, into an empty folder.

    Args:
        made_of: names the matcher and the knowledge base; `read_index` asks for it.
    """
    shapes: dict[str, tuple[str, list[int]]] = {}
    checksums: dict[str, int] = {}
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for part in parts:
            for name, array in _arrays(part):
                if name not in files:
                    files[name] = stack.enter_context((folder / f"{len(files)}.bin").open("wb"))
                    shapes[name] = array.dtype.str, [0, *array.shape[1:]]
                shapes[name][1][0] += len(array)
                data = np.ascontiguousarray(array).data
                files[name].write(data)
                checksums[name] = zlib.crc32(data, checksums.get(name, 0))
    arrays = [
        {"name": name, "dtype": dtype, "shape": shape, CHECKSUM: checksums[name]}
        for name, (dtype, shape) in shapes.items()
    ]
    write_sealed_json(folder / MANIFEST, {"made_of": made_of, "arrays": arrays})


def is_index_of(folder: Path, made_of: str) -> bool:
    """Whether the folder holds the whole index of this matcher and knowledge base."""
    return bool(_manifest_of(folder, made_of))


def read_index(folder: Path, made_of: str) -> EncodedEntities:
    """The entities that `write_index` wrote, mapped from their files.

    Raises:
        LinkingError: if they are another matcher's or another knowledge base's, or not as they were written.
    """
    manifest = _manifest_of(folder, made_of)
    if not manifest:
        raise LinkingError(
            f"{folder}: holds no index of this matcher and knowledge base; delete it and build it anew"
        )
    found: dict[str, dict[str, Any]] = {}
    for number, array in enumerate(manifest["arrays"]):
        unit, *name = array["name"].split("/")
        path = folder / f"{number}.bin"
        if not path.is_file() or _checksum(path) != array[CHECKSUM]:
            raise LinkingError(f"{path}: not as it was written, by its own checksum")
        values = _mapped(path, array["dtype"], array["shape"])
        found.setdefault(unit, {})["/".join(name)] = values
    return {unit: _unit(arrays) for unit, arrays in found.items()}


def _manifest_of(folder: Path, made_of: str) -> dict[str, Any]:
    """What the folder says of itself; empty where it is no index of this matcher and knowledge base."""
    path = folder / MANIFEST
    try:
        manifest = read_sealed_json(path)
    except DataError:
        return {}
    return manifest if manifest.get("made_of") == made_of else {}


def _arrays(part: EncodedEntities) -> Iterator[tuple[str, NDArray[Any]]]:
    """What makes up the entities: arrays to be appended to those of the entities before."""
    for name, unit in part.items():
        yield f"{name}/{INNER}", unit.inner_BI.numpy()
        for key, column in unit.columns.items():
            if isinstance(column, Packed):
                yield f"{name}/{COLUMN}/{key}/values", column.values_TC.numpy()
                yield f"{name}/{COLUMN}/{key}/lengths", column.lengths_B.numpy()
            else:
                yield f"{name}/{COLUMN}/{key}/tensor", column.numpy()
        if unit.sparse_BV is not None:
            yield f"{name}/{SPARSE}/values", unit.sparse_BV.data
            yield f"{name}/{SPARSE}/columns", unit.sparse_BV.indices.astype(np.int64)
            yield f"{name}/{SPARSE}/counts", np.diff(unit.sparse_BV.indptr).astype(np.int64)
            yield f"{name}/{SPARSE}/width", np.array(unit.sparse_BV.shape[1:])


def _unit(arrays: Arrays) -> EncodedUnit:
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        kind, *rest = name.split("/")
        if kind == COLUMN and rest[1] == "tensor":
            columns[rest[0]] = _tensor(array)
        elif kind == COLUMN and rest[1] == "values":
            lengths = np.array(arrays[f"{COLUMN}/{rest[0]}/lengths"])
            columns[rest[0]] = Packed(_tensor(array), torch.from_numpy(lengths))
    inner, sparse = _tensor(arrays[INNER]), None
    if f"{SPARSE}/width" in arrays:
        values, indices, counts, width = (
            arrays[f"{SPARSE}/{name}"] for name in ("values", "columns", "counts", "width")
        )
        starts = np.concatenate([[0], counts.cumsum()])
        sparse = scipy.sparse.csr_array((values, indices, starts), shape=(len(inner), width[0]))
    return EncodedUnit(inner, columns, sparse)


def _checksum(path: Path) -> int:
    """Read in pieces beside the mapping, whose pages count as memory."""
    found = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found = zlib.crc32(piece, found)
    return found


def _mapped(path: Path, dtype: str, shape: list[int]) -> NDArray[Any]:
    if not path.stat().st_size:
        return np.empty(shape, dtype)  # an empty file can't be mapped
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(pages, dtype).reshape(shape)


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    with warnings.catch_warnings():  # nobody writes to it, so torch need not say that nobody may
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
