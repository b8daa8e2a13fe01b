"""The typed numbers against each other, and a file that must not be believed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from mmoe.reporting.published import PublishedFile, PublishedOn
from mmoe.reporting.table import System

from tests.reporting.fixture import PUBLISHED

TEXT = PUBLISHED.read_text(encoding="utf-8")
METRICS = ("mrr", "hits_at_1", "hits_at_3", "hits_at_5")

# The rows "Δ" of MMoE's Table 3: what the descriptions add, as printed.
DELTAS = {
    ("MIMIC", "wikimel"): (0.55, 0.68, 0.60, 0.73),
    ("MIMIC", "richpediamel"): (0.54, 0.62, 0.45, 0.31),
    ("MIMIC", "wikidiverse"): (8.94, 12.19, 6.26, 4.14),
    ("M³EL", "wikimel"): (0.21, 0.07, 0.29, 0.27),
    ("M³EL", "richpediamel"): (0.58, 1.07, 0.11, -0.39),
    ("M³EL", "wikidiverse"): (2.24, 2.65, 2.22, 2.21),
    ("MMoE", "wikimel"): (1.22, 1.70, 0.91, 0.39),
    ("MMoE", "richpediamel"): (0.82, 1.15, 0.50, 0.67),
    ("MMoE", "wikidiverse"): (2.51, 2.98, 1.87, 2.16),
}


def read(dataset: str, text: str = TEXT) -> PublishedOn | None:
    return PublishedFile.model_validate(YAML(typ="safe").load(text)).on(dataset)


def results(dataset: str, paper: str) -> dict[str, System]:
    published = read(dataset)
    assert published is not None
    return {s.name: s for s in published.systems if s.note.startswith(paper)}


@pytest.mark.parametrize(("system", "dataset"), DELTAS)
def test_typed_rows_differ_by_the_printed_improvement(system: str, dataset: str) -> None:
    rows = results(dataset, "MMoE")
    with_dme, without = rows[f"{system}+DME"].numbers, rows[system].numbers
    found = [with_dme[metric] - without[metric] for metric in METRICS]
    assert found == pytest.approx(DELTAS[system, dataset], abs=0.006)


@pytest.mark.parametrize("dataset", ["wikimel", "richpediamel", "wikidiverse"])
def test_both_papers_repeat_the_same_rows(dataset: str) -> None:
    mmoe, dsmip = results(dataset, "MMoE"), results(dataset, "DSMIP")
    shared = {"CLIP", "ALBEF", "DZMNED", "JMEL", "GHMFC", "MIMIC"}
    assert shared == set(mmoe) & set(dsmip)
    for system in shared:
        for metric in METRICS[1:]:
            assert mmoe[system].numbers[metric] == dsmip[system].numbers[metric], (system, metric)


def test_a_data_set_is_found_however_it_is_spelt_and_others_have_no_results() -> None:
    published = read("RichpediaMEL")
    assert published is not None
    assert published.benchmark.entities == 160_935
    assert read("sample") is None


def test_no_figure_contradicts_another() -> None:
    """Hits@n never fall, MRR lies above Hits@1, and a system stands once in a table."""
    for dataset in ("wikimel", "richpediamel", "wikidiverse"):
        published = read(dataset)
        assert published is not None
        assert len({(s.name, s.note) for s in published.systems}) == len(published.systems) > 10
        for system in published.systems:
            mrr, *hits = (system.numbers.get(metric) for metric in METRICS)
            known = [value for value in hits if value is not None]
            assert known == sorted(known), system
            assert mrr is None or known[0] <= mrr, system


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mrr: 93.75", "mrr: 937.5", r"tables\.0\.rows\.19\.results\.wikimel\.mrr\n.*100"),
        ("mrr: 93.75", "mmr: 93.75", r"wikimel\.mmr\n *Extra inputs"),
    ],
)
def test_a_slip_of_the_pen_is_found(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(ValidationError, match=message):
        read("wikimel", TEXT.replace(old, new))
