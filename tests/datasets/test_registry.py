"""A folder is recognised by its files, or the message says what was looked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from mmoe.config.data import DataParams
from mmoe.datasets import FORMATS, read_dataset
from mmoe.errors import DataError
from mmoe.records import SPLITS

from tests.datasets.fissfuse_folder import write_fissfuse
from tests.datasets.folders import three_mentions, write_jsonl, write_melbench, write_own
from tests.datasets.mimic_folder import write_mimic
from tests.datasets.wikidiverse_folder import write_wikidiverse

WRITERS: dict[str, Callable[[Path], Path]] = {
    "own": write_own,
    "melbench": write_melbench,
    "mimic": write_mimic,
    "wikidiverse": write_wikidiverse,
    "fissfuse": write_fissfuse,
}


def test_the_knob_names_every_format() -> None:
    assert set(get_args(get_type_hints(DataParams)["format"])) == {"auto", *FORMATS}


@pytest.mark.parametrize(
    ("name", "ids", "num_sources"),
    [
        ("own", ["m1", "m2", "m3"], 2),
        ("melbench", ["a", "b", "c"], 3),
        ("mimic", ["a", "b", "c"], 5),
        ("wikidiverse", ["train-1", "valid-1", "test-1"], 5),
        # Without its archive, which is large; each image is hashed by itself.
        ("fissfuse", ["a", "b", "c"], 4),
    ],
)
def test_a_plain_folder(tmp_path: Path, name: str, ids: list[str], num_sources: int) -> None:
    dataset = read_dataset(WRITERS[name](tmp_path), "auto")
    assert (dataset.format, len(dataset.sources)) == (name, num_sources)
    assert [(m.mention_id, m.split) for m in dataset.mentions] == list(
        zip(ids, SPLITS, strict=True)
    )
    assert all(m.in_kb for m in dataset.mentions)
    assert {m.gold_qid for m in dataset.mentions} <= {e.qid for e in dataset.entities}
    assert name == "melbench" or not any(dataset.counts.values())


@pytest.mark.parametrize("name", ["wikidiverse", "fissfuse"])
def test_entities_as_ours_make_no_folder_ours_but_mentions_do(tmp_path: Path, name: str) -> None:
    write_jsonl(WRITERS[name](tmp_path) / "mentions.jsonl", three_mentions())
    with pytest.raises(DataError, match=rf"looks like own and {name}; set data\.format"):
        read_dataset(tmp_path, "auto")
    assert read_dataset(tmp_path, name).format == name


@pytest.mark.parametrize("one", WRITERS)
@pytest.mark.parametrize("other", WRITERS)
def test_two_data_sets_in_one_folder_are_never_guessed(
    tmp_path: Path, one: str, other: str
) -> None:
    WRITERS[other](WRITERS[one](tmp_path))
    if one == other:
        assert read_dataset(tmp_path, "auto").format == one
        return
    with pytest.raises(DataError):
        read_dataset(tmp_path, "auto")


def test_an_unknown_folder_lists_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no known format; looked for own: mentions.*melbench: qid2abs"
    ):
        read_dataset(tmp_path, "auto")


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.format = 'csv': unknown; known: auto, own"):
        read_dataset(tmp_path, "csv")


def test_an_empty_knowledge_base(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the knowledge base is empty"):
        read_dataset(write_own(tmp_path, entities=[]), "auto")
