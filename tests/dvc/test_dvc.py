"""Real DVC on twenty mentions: what runs again after which change, and the life of an experiment.

The tests share one project and stand in the order of a working day; each leaves the last commit behind.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.layout import PARTS
from tests.dvc.clone import Clone, make_clone, ran

_CACHED = re.compile(r"^Stage '([^']+)' is cached", re.MULTILINE)
ALL = ["ingest", "retrieve", "rank", "compare", "audit", *(f"encode {part}" for part in PARTS)]
ALL += ["baselines", "train", "evaluate", "benefit", "report"]


class Run(NamedTuple):
    """A project, and what the last command said there."""

    clone: Clone
    log: str


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The first `dvc repro`, committed."""
    clone = make_clone(tmp_path_factory.mktemp("dvc"))
    log = clone.dvc("repro")
    clone.commit("first results")
    return Run(clone, log)


def test_the_first_repro_runs_every_stage_once(first: Run) -> None:
    assert sorted(ran(first.log)) == sorted(ALL)
    assert (first.clone.root / "reports/tiny/report.html").stat().st_size > 10_000


def test_a_corrupt_image_is_reported_and_the_run_goes_on(first: Run) -> None:
    assert "mention_image: 1 unreadable images are masked, among them" in first.log


def test_metrics_are_in_git_and_the_rest_is_dvcs(first: Run) -> None:
    tracked = set(first.clone.git("ls-files", "reports", "data").splitlines())
    names = {name for name in tracked if not name.startswith("data/raw/")}
    ours = {name for name in names if not name.endswith(".gitignore")}
    assert ours == {
        "reports/published.yaml",
        "reports/tiny/metrics.json",
        "reports/tiny/baselines.json",
        "reports/tiny/data.json",
    }


def test_the_second_repro_does_nothing(first: Run) -> None:
    log = first.clone.dvc("repro")
    assert ran(log) == []
    assert log.rstrip().endswith("Data and pipelines are up to date.")
    assert first.clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "stale"),
    [
        (
            "mmoe/model/router.py",
            '"""\n\nfrom',
            '"""\n\n# edited\nfrom',
            {"train", "evaluate", "benefit"},
        ),
        ("mmoe/config/train.py", "patience: int", "knob: int = 1\n    patience: int", {"train"}),
        ("mmoe/config/check.py", "SECTIONS: ", "# edited\nSECTIONS: ", set()),
        ("mmoe/reporting/style.py", '"""\n\nfrom', '"""\n\n# edited\nfrom', {"report"}),
        ("mmoe/descriptions/plain.py", '"""\n\nfrom', '"""\n\n# edited\nfrom', {"rank", "compare"}),
        ("params.yaml", "  backends: [none, ", "  backends: [", {"compare"}),
        ("params.yaml", "leak_policy: keep", "leak_policy: drop", {"train"}),
        ("params.yaml", "image_distance: 4", "image_distance: 5", {"audit"}),
        ("params.yaml", "num_examples: 3", "num_examples: 4", {"report"}),
        ("params.yaml", "max_candidates: 50", "max_candidates: 49", {"retrieve"}),
        ("params.yaml", "top_n: 10", "top_n: 9", {"evaluate"}),
        ("params.yaml", "shard_rows: 2048", "shard_rows: 7", {f"encode {part}" for part in PARTS}),
    ],
)
def test_an_edit_makes_stale_only_the_stages_that_it_touches(
    path: str, old: str, new: str, stale: set[str], first: Run
) -> None:
    """Of the stages that it touches directly; later ones follow if an output changes."""
    first.clone.edit(path, old, new)
    try:
        found = first.clone.stale()
        # These read train.device, so that they name the module of the section train as well.
        more = {"evaluate", "benefit"} if path == "mmoe/config/train.py" else set()
        assert found == stale | more
    finally:
        first.clone.git("checkout", "--quiet", "--", ".")


@pytest.fixture(scope="module")
def temporary(first: Run) -> Run:
    """`dvc exp run --temp` with another knob of the model: in a copy, beside the workspace."""
    command = ("exp", "run", "--temp", "--name", "in-a-copy", "-S", "moe.top_k=2")
    return Run(first.clone, first.clone.dvc(*command))


def test_another_top_k_runs_train_evaluate_and_report_only(temporary: Run) -> None:
    assert ran(temporary.log) == ["train", "evaluate", "benefit", "report"]


def test_an_experiment_in_a_copy_leaves_the_workspace_alone(temporary: Run) -> None:
    assert temporary.clone.git("status", "--porcelain") == ""
    assert temporary.clone.stale() == set()


def test_the_same_experiment_in_the_workspace_comes_out_of_the_run_cache(temporary: Run) -> None:
    """No output hangs on where a stage ran, and metrics in git don't keep DVC from finding them."""
    clone = temporary.clone
    log = clone.dvc("exp", "run", "--name", "in-place", "-S", "moe.top_k=2")
    assert ran(log) == []
    assert _CACHED.findall(log) == [
        f"{name}@tiny" for name in ("train", "evaluate", "benefit", "report")
    ]
    assert clone.stale() == set()


def test_the_way_back_from_an_experiment(temporary: Run) -> None:
    """Metrics are git's, so that `dvc checkout` alone would leave the experiment's."""
    clone = temporary.clone
    clone.git("checkout", "params.yaml", "dvc.lock", "reports")
    clone.dvc("checkout")
    assert clone.git("status", "--porcelain") == ""
    assert clone.stale() == set()


@pytest.fixture(scope="module")
def experiment(temporary: Run) -> Run:
    """The experiment applied and committed; HEAD~1 is the first run."""
    clone = temporary.clone
    log = clone.dvc("exp", "apply", "in-a-copy")
    clone.commit("top 2")
    return Run(clone, log)


def test_an_applied_experiment_needs_no_run(experiment: Run) -> None:
    assert "top_k: 2" in (experiment.clone.root / "params.yaml").read_text("utf-8")
    assert experiment.clone.stale() == set()


def test_exp_show_lists_metrics_and_knobs(experiment: Run) -> None:
    rows = list(
        csv.DictReader(io.StringIO(experiment.clone.dvc("exp", "show", "--csv", "-n", "2")))
    )
    top_k = {row["rev"]: row["moe.top_k"] for row in rows}
    assert set(top_k.values()) == {"2", "3"}
    assert all(float(row["mrr"]) > 0 for row in rows)
    assert {"hits_at_1", "train.seed", "rank.backend"} <= rows[0].keys()


def metrics_at(clone: Clone, revision: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(clone.git("show", f"{revision}:reports/tiny/metrics.json"))
    return found


def test_metrics_diff_shows_both_values(experiment: Run) -> None:
    clone = experiment.clone
    old, new = metrics_at(clone, "HEAD~1"), metrics_at(clone, "HEAD")
    changed = [name for name in old if old[name] != new[name]]
    assert changed, "the two runs must differ for this test to say anything"
    shown = clone.dvc("metrics", "diff", "HEAD~1", "HEAD", "--md")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()]
    rows = {row[1]: row for row in cells if row and row[0] == "reports/tiny/metrics.json"}
    assert rows.keys() == set(changed)
    for name in changed:
        assert [float(value) for value in rows[name][2:4]] == pytest.approx([old[name], new[name]])


def test_params_diff_shows_the_knob(experiment: Run) -> None:
    shown = experiment.clone.json("params", "diff", "HEAD~1", "HEAD")
    assert shown == {"params.yaml": {"moe.top_k": {"old": 3, "new": 2, "diff": -1}}}


def test_plots_diff_draws_curves_and_ranks_of_both(experiment: Run, tmp_path: Path) -> None:
    said = experiment.clone.dvc("plots", "diff", "HEAD~1", "HEAD", "--out", str(tmp_path / "plots"))
    assert "index.html" in said
    page = (tmp_path / "plots" / "index.html").read_text("utf-8")
    curves = "reports/tiny/training/plots/metrics"
    assert "reports/tiny/plots/ranks.csv" in page
    assert f"{curves}/valid_mrr.tsv" in page
    assert f"{curves}/loss/total.tsv" in page
    assert '"rev": "HEAD~1"' in page
    assert '"rev": "HEAD"' in page


@pytest.fixture
def other_ranker(experiment: Run) -> Iterator[Run]:
    """Another ranker, as far as the features; the last commit stands again afterwards."""
    clone = experiment.clone
    clone.edit("params.yaml", "backend: lexical", "backend: first")
    yield Run(clone, clone.dvc("repro", "encode"))
    clone.restore()


def test_another_ranker_encodes_the_mentions_texts_only(other_ranker: Run) -> None:
    assert ran(other_ranker.log) == [
        "rank",
        "compare",
        "encode mention_text",
        "encode ablation_text",
    ]
    later = {"audit", "baselines", "train", "evaluate", "benefit", "report"}
    assert other_ranker.clone.stale() == later


def test_an_older_commit_comes_back_without_a_run(experiment: Run) -> None:
    clone = experiment.clone
    clone.git("checkout", "--quiet", "HEAD~1")
    clone.dvc("checkout")
    try:
        assert ran(clone.dvc("repro")) == []
        assert clone.git("status", "--porcelain") == ""
    finally:
        clone.git("checkout", "--quiet", "main")
        clone.dvc("checkout")
