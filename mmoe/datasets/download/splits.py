"""The split of RichpediaMEL: its public files name a test part and leave train and valid together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmoe.errors import DataError
from mmoe.files import read_json


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
    records = read_json(file)
    if not isinstance(records, dict):
        raise DataError(f"{file}: must be one JSON object of records; fetch the file again")
    for key, record in records.items():
        if not isinstance(record, dict) or str(record.get("id", key)) != key:
            raise DataError(
                f"{file}, record {key!r}: must be an object with that id; fetch the file again"
            )
    return list(records)
