"""The typed numbers against each other, and a file that must not be believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import DataError
from mmoe.reporting.published import read_published
from mmoe.reporting.table import System

from tests.reporting.fixture import PUBLISHED

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


def results(dataset: str, paper: str) -> dict[str, System]:
    published = read_published(PUBLISHED, dataset)
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


def test_another_data_set_has_no_published_results() -> None:
    assert read_published(PUBLISHED, "sample") is None


def test_the_name_of_the_folder_may_be_spelt_as_in_the_papers() -> None:
    published = read_published(PUBLISHED, "RichpediaMEL")
    assert published is not None
    assert published.benchmark.entities == 160_935


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mrr: 93.75", "mrr: 937.5", r"tables\.0\.rows\.19\.results\.wikimel\.mrr: .*100"),
        ("mrr: 93.75", 'mrr: "93.75"', r"wikimel\.mrr: .*valid number"),
        ("mrr: 93.75", "mmr: 93.75", r"wikimel\.mmr: Extra inputs"),
        ("mrr: 93.75", "mrr: 39.75", r"MRR 39\.75 can't lie below Hits@1"),
        ("hits_at_3: 96.27", "hits_at_3: 69.27", r"Hits@1, 3, 5 must not fall"),
        ("system: MMoE+DME", "system: MMoE", r"MMoE, Table 3, MMoE: stands twice"),
        (
            "wikimel:\n    title",
            "wikimell:\n    title",
            r"\['wikimel'\] are not listed under data_sets",
        ),
        ("tables:", "tables: [", "not valid YAML"),
    ],
)
def test_a_slip_of_the_pen_is_found(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "published.yaml"
    text = PUBLISHED.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_published(path, "wikimel")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"published\.yaml: no such file"):
        read_published(tmp_path / "published.yaml", "wikimel")
