"""The formats that can be read, and how a folder is recognised by its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mmoe.datasets import fissfuse, melbench, mimic, own, wikidiverse
from mmoe.datasets.raw import RawDataset
from mmoe.errors import DataError


class Format(NamedTuple):
    """A published format: how to tell it, how to read it, and by which files."""

    recognises: Callable[[Path], bool]
    read: Callable[[Path], RawDataset]
    files: str


FORMATS = {
    "own": Format(
        own.recognises, own.read_own, "mentions.jsonl or .csv with entities.jsonl or .csv"
    ),
    "melbench": Format(
        melbench.recognises, melbench.read_melbench, "qid2abs.json, splits.json and one more .json"
    ),
    "mimic": Format(
        mimic.recognises, mimic.read_mimic, "kb_entity.json with <name>_train.json, _dev, _test"
    ),
    "wikidiverse": Format(
        wikidiverse.recognises,
        wikidiverse.read_wikidiverse,
        "train.json, valid.json, test.json with title2qid.json or .csv and entities.jsonl or .csv",
    ),
    "fissfuse": Format(
        fissfuse.recognises,
        fissfuse.read_fissfuse,
        "<name>_train.jsonl, _valid, _test with entities.jsonl and one .h5",
    ),
}


def read_dataset(folder: Path, format: str) -> RawDataset:  # noqa: A002 - as the knob data.format
    """Reads the data set of a raw folder.

    Args:
        folder: the raw folder.
        format: a key of FORMATS, or `auto` to recognise the folder by its files.
    Raises:
        DataError: if the folder is missing, not recognised or broken, or its knowledge base is empty.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; put the data set there, or name another one in `datasets`"
        )
    name = _recognise(folder) if format == "auto" else format
    if name not in FORMATS:
        raise DataError(f"data.format = {name!r}: unknown; known: auto, {', '.join(FORMATS)}")
    dataset = FORMATS[name].read(folder)
    if not dataset.entities:
        raise DataError(f"{folder}: the knowledge base is empty; list at least one entity")
    return dataset


def _recognise(folder: Path) -> str:
    found = [name for name, kind in FORMATS.items() if kind.recognises(folder)]
    # Other formats list entities as ours does; mentions in our own table are what makes a folder ours.
    if len(found) > 1 and not any((folder / f"mentions{end}").is_file() for end in own.ENDINGS):
        found = [name for name in found if name != "own"]
    looked_for = "; ".join(f"{name}: {kind.files}" for name, kind in FORMATS.items())
    if not found:
        raise DataError(f"{folder}: no known format; looked for {looked_for}")
    if len(found) > 1:
        raise DataError(
            f"{folder}: looks like {' and '.join(found)}; set data.format ({looked_for})"
        )
    return found[0]
