"""Real DVC on twenty mentions: what runs again after which change, and the life of an experiment.

The tests share one project and stand in the order of a working day; each leaves the last commit behind. Its
first outputs were made without DVC; between them the tests have DVC run every stage once.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.layout import STAGES
from tests.dvc.clone import Clone, make_clone, ran

# A knob of the model; without the ablation what follows is done sooner.
CHANGED = ("-S", "moe.top_k=2", "-S", "description_ablation.enabled=false")
LATE = [
    *("train", "rerank", "evaluate", "description_ablation"),
    *("metrics", "report", "bundle"),
]


class Run(NamedTuple):
    """A project, and what the last command said there."""

    clone: Clone
    log: str


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Run]:
    """First results, not made by DVC: what `dvc repro` would run to get them. Then they are committed."""
    with make_clone(tmp_path_factory.mktemp("dvc"), built) as clone:
        for folder in ("data", "reports", ".mmoe"):
            shutil.copytree(built / folder, clone.root / folder, dirs_exist_ok=True)
        clone.call("python", "-m", "pipeline.fingerprints")
        log = clone.dvc("repro", "--dry")
        clone.dvc("commit", "--force")
        clone.commit("first results")
        yield Run(clone, log)


def test_the_first_repro_runs_every_stage_once(first: Run) -> None:
    assert sorted(ran(first.log)) == sorted(STAGES)


def test_metrics_are_in_git_and_the_rest_is_dvcs(first: Run) -> None:
    tracked = set(first.clone.git("ls-files", "reports", "data").splitlines())
    names = {name for name in tracked if not name.startswith("data/raw/")}
    assert {name for name in names if not name.endswith(".gitignore")} == {
        "reports/published.yaml",
        "reports/tiny/metrics.json",
    }


# Neither a comment nor a docstring, nor what only stops a run or serves another choice, decides a value.
VALUELESS = [
    ("mmoe/model/router.py", '"""\n\nfrom', 'And more."""\n\n# edited\nfrom'),
    ("mmoe/features/store.py", '"""\n\nfrom', 'And more."""\n\n# edited\nfrom'),
    (
        "mmoe/errors.py",
        "class DataError",
        "class OtherError(MmoeError):\n    pass\n\n\nclass DataError",
    ),
    ("mmoe/datasets/download.py", '"""\n\nfrom', '"""\n\nEDITED = 1\nfrom'),
    ("mmoe/wikidata/images/__init__.py", '"""', '"""\nEDITED = 1\n'),
    ("mmoe/descriptions/llm_client/__init__.py", '"""', '"""\nEDITED = 1\n'),
    ("mmoe/config/llm.py", "class LlmParams", "EDITED = 1\n\n\nclass LlmParams"),
    ("pipeline/stage.py", "def exit_on", "EDITED = 1\n\n\ndef exit_on"),
    ("mmoe/config/check.py", "SECTIONS: ", "EDITED = 1\nSECTIONS: "),
]


def edit_after(clone: Clone, path: str, old: str, new: str) -> None:
    """Replaces the last of several places: a docstring's end, say."""
    text = (clone.root / path).read_text("utf-8")
    head, found, tail = text.partition(old) if old != '"""' else text.rpartition(old)
    assert found, f"{path}: no {old!r}"
    (clone.root / path).write_text(head + new + tail, "utf-8")


def test_an_edit_that_decides_no_value_runs_only_the_fingerprints(first: Run) -> None:
    """Nor does a second run, nor another rate, batch size, price or device."""
    clone = first.clone
    try:
        for path, old, new in VALUELESS:
            edit_after(clone, path, old, new)
        for old, new in (
            ("shard_rows: 2048", "shard_rows: 7"),
            ("cache_days: 90", "cache_days: 1"),
        ):
            clone.edit("params.yaml", old, new)
        assert ran(clone.dvc("repro")) == ["fingerprints"]
        assert "dvc.lock" not in clone.git("status", "--porcelain")
    finally:
        clone.git("checkout", "--quiet", "--", ".")
    assert clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "stale"),
    [
        (
            "mmoe/model/router.py",
            '"""\n\nfrom',
            '"""\n\nEDITED = 1\nfrom',
            {"train", "rerank", "evaluate", "description_ablation", "bundle"},
        ),
        ("mmoe/reporting/charts.py", '"""\n\nfrom', '"""\n\nEDITED = 1\nfrom', {"report"}),
        ("mmoe/reporting/templates/report.html.jinja", "<", "<!-- edited --><", {"report"}),
        (
            "mmoe/descriptions/plain.py",  # the backend that is chosen is another one
            '"""\n\nfrom',
            '"""\n\nEDITED = 1\nfrom',
            {"description_ablation"},
        ),
        ("mmoe/training/optimiser.py", '"""\n\nfrom', '"""\n\nEDITED = 1\nfrom', {"train"}),
        (
            "data/raw/sample/clip/config.json",
            "{",
            "{ ",
            {"audit", "encode", "description_ablation"},
        ),
        ("params.yaml", "  backend: lexical", "  backend: openai", {"rank", "bundle"}),
    ],
)
def test_an_edit_that_may_decide_values_changes_the_fingerprints_of_its_stages(
    path: str, old: str, new: str, stale: set[str], first: Run
) -> None:
    """Code, package data, an encoder behind its name, and what a knob brings in."""
    edit_after(first.clone, path, old, new)
    try:
        assert first.clone.other_fingerprints() == stale
    finally:
        first.clone.git("checkout", "--quiet", "--", ".")


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        (
            "leak_policy: keep",
            "leak_policy: drop",
            {"tune", "baselines", "train", "rerank", "report"},
        ),
        (
            "bootstrap_samples: 100",
            "bootstrap_samples: 200",
            {"metrics", "report"},
        ),
        ("untrained: true", "untrained: false", {"evaluate", "report"}),
    ],
)
def test_a_knob_makes_stale_what_reads_it(old: str, new: str, stale: set[str], first: Run) -> None:
    first.clone.edit("params.yaml", old, new)
    try:
        assert first.clone.stale() == stale
    finally:
        first.clone.git("checkout", "--quiet", "--", ".")


@pytest.fixture(scope="module")
def temporary(first: Run) -> Run:
    """`dvc exp run --temp` with another knob of the model: in a copy, beside the workspace."""
    return Run(
        first.clone, first.clone.dvc("exp", "run", "--temp", "--name", "in-a-copy", *CHANGED)
    )


def test_another_top_k_runs_train_and_what_follows_only(temporary: Run) -> None:
    assert ran(temporary.log) == ["fingerprints", *LATE]
    assert temporary.clone.git("status", "--porcelain") == ""  # the workspace is left alone


def metrics_of(clone: Clone) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((clone.root / "reports/tiny/metrics.json").read_text())
    return found


def test_the_same_experiment_in_the_workspace_comes_out_of_the_run_cache(temporary: Run) -> None:
    """No output depends on where a stage ran, and metrics in git don't keep DVC from finding them."""
    clone = temporary.clone
    before = metrics_of(clone)
    log = clone.dvc("exp", "run", "--name", "two-experts", *CHANGED)
    assert ran(log) == ["fingerprints"]
    assert metrics_of(clone)["mrr"] != before["mrr"]


def test_the_runs_stand_beside_each_other(temporary: Run) -> None:
    """As README tells: the workspace is the experiment, compared with the commit."""
    clone = temporary.clone
    code = (
        "import typer; from mmoe.cli.runs import register; app = typer.Typer(); register(app); "
        "app.callback()(lambda: None); app(['runs', '--against', 'main'])"
    )
    lines = clone.call("python", "-c", code).splitlines()
    assert lines[0] == "tiny, compared with main"
    rows = {line.split()[0]: line for line in lines[2:]}
    assert rows.keys() == {"workspace", "main", "in-a-copy", "two-experts"}
    assert "moe.top_k=2" in rows["two-experts"]
    assert rows["main"].rstrip().endswith("—")
    shown = f"{metrics_of(clone)['mrr']:.2f} ("
    assert all(shown in rows[name] for name in ("workspace", "in-a-copy", "two-experts"))
    gains = {re.findall(r"[+-]\d+\.\d+", rows[name])[0] for name in rows if name != "main"}
    assert len(gains) == 1


def test_dvcs_own_tables_are_short(temporary: Run) -> None:
    clone = temporary.clone
    table = clone.dvc("exp", "show", "--csv", "--only-changed")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {row["moe.top_k"] for row in rows} == {"2", "3"}
    assert len(rows[0]) < 60
    changed = clone.json("exp", "diff", "main", "two-experts")
    (knobs,) = changed["params"].values()
    assert knobs["moe.top_k"] == {"old": 3, "new": 2, "diff": -1}
    assert knobs.keys() == {"moe.top_k", "description_ablation.enabled"}
    (figures,) = changed["metrics"].values()
    assert "mrr" in figures
    assert len(figures) <= 9


def test_plots_draw_curves_and_ranks_of_both_without_a_network(temporary: Run) -> None:
    clone = temporary.clone
    said = clone.dvc("plots", "diff", "main", "two-experts")
    assert "index.html" in said
    page = (clone.root / "dvc_plots/index.html").read_text("utf-8")
    for name in ("plots/ranks.csv", "training/plots/metrics/held_out_mrr.tsv"):
        assert f"reports/tiny/{name}" in page
    assert '<script src="../.mmoe/vega.js">' in page
    assert "vegaEmbed" in (clone.root / ".mmoe/vega.js").read_text("utf-8")


def test_the_way_back_where_the_committed_outputs_are_in_no_cache(temporary: Run) -> None:
    """As in a fresh clone: dvc.lock was recorded on a machine whose training gave other weights."""
    clone = temporary.clone
    clone.restore()
    lock = clone.root / "dvc.lock"
    ours, kept = lock.read_text(), clone.git("rev-parse", "HEAD").strip()
    weights = re.findall(r"path: data/models/tiny/\S+\n\s+hash: md5\n\s+md5: (\w+)", ours)
    theirs = ours
    for md5 in set(weights):
        theirs = theirs.replace(md5, md5[::-1])
    lock.write_text(theirs)
    clone.commit("recorded elsewhere")
    assert set(ran(clone.dvc("repro"))) <= {"fingerprints", "train"}
    mine = metrics_of(clone)
    clone.dvc("exp", "run", "--name", "again", *CHANGED)
    clone.git("checkout", "params.yaml")
    assert ran(clone.dvc("repro")) == ["fingerprints"]
    assert metrics_of(clone) == mine
    assert lock.read_text() == ours
    clone.git("reset", "--hard", "--quiet", kept)


def test_an_experiment_is_applied_made_a_branch_and_forgotten(temporary: Run) -> None:
    clone = temporary.clone
    clone.dvc("exp", "branch", "in-a-copy", "better-router")
    clone.dvc("exp", "remove", "in-a-copy")
    clone.dvc("exp", "apply", "two-experts")
    assert "top_k: 2" in (clone.root / "params.yaml").read_text("utf-8")
    assert clone.stale() == set()
    assert "better-router" in clone.git("branch")
    clone.restore()


def test_another_data_set_beside_leaves_the_first_ones_report(temporary: Run) -> None:
    """README's way: list both, run the new one by target; its raw data never come into Git."""
    clone = temporary.clone
    shutil.copytree(clone.root / "data/raw/tiny", clone.root / "data/raw/other")
    before = (clone.root / "reports/tiny/report.html").read_bytes()
    assert clone.git("status", "--porcelain") == ""
    clone.edit("params.yaml", "- tiny", "- tiny\n- other")
    log = clone.dvc("repro", "retrieve@other")
    assert ran(log) == ["fingerprints", "ingest@other", "retrieve@other"]
    assert (clone.root / "reports/tiny/report.html").read_bytes() == before
    assert "data/raw/other" not in clone.git("status", "--porcelain", "--untracked-files=all")
    clone.git("reset", "--hard", "--quiet")
    assert clone.stale() == set()


def test_a_data_set_that_is_not_there_is_one_line_with_near_names(temporary: Run) -> None:
    clone = temporary.clone
    clone.edit("params.yaml", "- tiny", "- tinny")
    done = clone.run("dvc", "repro")
    assert done.returncode != 0
    assert "datasets: no folder data/raw/tinny; put the data set there; there is" in done.stdout
    clone.restore()


def test_another_ranker_encodes_the_mentions_texts_only(temporary: Run) -> None:
    clone = temporary.clone
    clone.edit("params.yaml", "backend: lexical", "backend: first")
    log = clone.dvc("repro", "encode")
    assert sorted(ran(log)) == ["encode", "fingerprints", "rank", "tune"]
    reading = {
        "audit",
        "baselines",
        "train",
        "rerank",
        "evaluate",
        "description_ablation",
        "report",
        "bundle",
    }
    assert clone.stale() == reading
    kept = dict(re.findall(r"^(\w+): \d+ rows, (\d+) of them kept", log, re.MULTILINE))
    assert kept.pop("mention_text") < "19"
    assert kept["entity_text"] == kept["entity_image"] == "19"
    clone.restore()
