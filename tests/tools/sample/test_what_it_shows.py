"""What the sample was made to show: each part of the method visibly matters.

usage of the table in README  python -m tests.tools.sample.test_what_it_shows
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import pytest

from tests.tools.sample.runs import DESCRIBED, VARIANTS, SampleProject, Variants

SEEDS = (43, 44, 45)
SHOWN = ("mrr", "evidence_text_mrr", "evidence_image_hits_at_1", "evidence_description_mrr")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SampleProject:
    return SampleProject(tmp_path_factory.mktemp("shows"))


@pytest.mark.slow
def test_images_decide_where_the_text_says_nothing(project: SampleProject) -> None:
    """One seed and one epoch, as a smoke test."""
    short = {"train": {"max_epochs": 1, "min_steps": 0}}
    full, text = (project.metrics(43, **VARIANTS[name], **short) for name in ("full", "text only"))
    assert full["mrr"] >= text["mrr"] + 5
    assert full["evidence_image_hits_at_1"] >= text["evidence_image_hits_at_1"] + 20


@pytest.mark.slow
def test_the_table_of_readme_over_three_seeds(project: SampleProject) -> None:
    """What the sample is made to show; README has the figures."""
    means = table(project, VARIANTS)
    full, text = means["full"], means["text only"]
    assert full["mrr"] >= text["mrr"] + 10
    assert full["evidence_image_hits_at_1"] >= 80
    assert text["evidence_image_hits_at_1"] <= 40  # three or four entities share a name
    without = means["no descriptions"]
    assert full["evidence_description_mrr"] >= without["evidence_description_mrr"] + 10
    baselines = project.baselines()
    for name in (
        "exact name",
        "BM25, surface form",
        "BM25, surface form + context",
        "two-part cosine",
    ):
        assert baselines[name]["mrr"] <= full["mrr"] - 10, name


def table(project: SampleProject, variants: Variants) -> dict[str, dict[str, float]]:
    """Means over the seeds of what is shown of each variant; those of one ranker should follow each other."""
    return {
        variant: {
            name: statistics.mean(run[name] for run in runs)
            for runs in [[project.metrics(seed, **changes) for seed in SEEDS]]
            for name in SHOWN
        }
        for variant, changes in variants.items()
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = SampleProject(Path(folder))
        print("| | MRR | text: MRR | image: Hits@1 | description: MRR |")
        print("|---|---|---|---|---|")
        for variant, means in table(project, DESCRIBED | VARIANTS).items():
            print(f"| {variant} | " + " | ".join(f"{means[name]:.1f}" for name in SHOWN) + " |")
        for name, numbers in project.baselines().items():
            print(f"| {name} | {numbers['mrr']:.1f} | | | |")


if __name__ == "__main__":
    main()
