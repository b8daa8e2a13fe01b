"""The catalogue: addresses as GitHub has them, and pins that are pins."""

from __future__ import annotations

import re

import pytest

from mmoe.datasets.download.sources import CATALOGUE, GITHUB, Source

SOURCES = [
    source
    for benchmark in CATALOGUE.values()
    for long in (False, benchmark.long_attributes is not None)
    for sources in benchmark.files(long=long).values()
    for source in sources
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.path)
def test_a_pin_is_whole(source: Source) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
    assert re.fullmatch(r"[0-9a-f]{64}", source.sha256)
    assert source.size > 100_000


def test_no_two_files_share_a_pin() -> None:
    pins = {(source.path, source.sha256) for source in SOURCES}
    assert len(pins) == len({path for path, _ in pins}) == len({sha256 for _, sha256 in pins}) == 10


def test_an_address() -> None:
    (source,) = CATALOGUE["wikimel"].files(long=False)["qid2abs.json"]
    wanted = (
        "https://raw.githubusercontent.com/seukgcode/MEL-GHMFC/"
        "f1586dbd13971ea8cbf9352c6ff3d3b1ec7e0c59/datasets/WikiMEL/input_data/qid2abs.json"
    )
    assert source.url(GITHUB) == source.url(f"{GITHUB}/") == wanted


def test_what_the_reader_finds() -> None:
    assert list(CATALOGUE["richpediamel"].files(long=True)) == [
        "Richpedia-MEL.json",
        "qid2abs.json",
        "qid2ne.json",
        "splits.json",
    ]
    assert next(iter(CATALOGUE["wikimel"].files(long=False))) == "Wikidata-MEL.json"
