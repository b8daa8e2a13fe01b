"""dvc.yaml says what the code says: its files, its imports, and the knobs that each stage reads."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mmoe.config.check import SECTIONS

from pipeline.layout import PARTS, Layout
from tests.config.knobs import knobs_in, knobs_of, knobs_read_by
from tests.imports import ROOT, modules, stage_deps
from tests.imports import STAGES as ORDER

STAGES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
CODE = ("mmoe/", "pipeline/")
at = Layout("some-set")


def resolved(text: str, part: str = PARTS[0]) -> str:
    """A path or command of dvc.yaml for our data set."""
    return text.replace("${item.dataset}", at.dataset).replace("${item.part}", part)


def entries(stage: str, key: str) -> list[str]:
    """The paths of a list in dvc.yaml, whose entries may carry options."""
    listed = STAGES[stage].get(key, [])
    return [resolved(e if isinstance(e, str) else next(iter(e))) for e in listed]


def written(stage: str) -> list[str]:
    return [path for key in ("outs", "metrics", "plots") for path in entries(stage, key)]


def data_deps(stage: str) -> list[str]:
    return [path for path in entries(stage, "deps") if not path.startswith(CODE)]


CHOICES = "ablation_text"  # of all parts the one that only the comparison of descriptions reads
FEATURES = [at.features / part for part in PARTS if part != CHOICES]
RECORDS = [at.mentions, at.entities]
READS: dict[str, list[Path]] = {
    "ingest": [at.raw],
    "retrieve": [at.raw, *RECORDS],
    "rank": [at.raw, *RECORDS, at.candidates],
    "compare": [*RECORDS, at.candidates, at.descriptions],
    "audit": [
        *RECORDS,
        at.images,
        at.ingest_counts,
        at.inputs("mention_text"),
        at.inputs("entity_text"),
    ],
    # Images are named by their hashes in the part's input, so that raw texts don't matter here.
    "encode": [at.inputs(PARTS[0])],
    "baselines": [*RECORDS, *FEATURES],
    "train": [*RECORDS, at.leaks, *FEATURES],
    "evaluate": [
        *RECORDS,
        at.leaks,
        *FEATURES,
        at.model / "matcher.safetensors",
        at.model / "untrained.safetensors",
    ],
    "benefit": [
        *RECORDS,
        at.candidates,
        at.choices,
        at.inputs(CHOICES),
        *(at.features / part for part in PARTS if part != "mention_text"),
        at.model / "matcher.safetensors",
    ],
    "report": [
        at.raw,
        *RECORDS,
        at.candidates,
        at.descriptions,
        at.retrieve_counts,
        at.retrieve_runs,
        at.rank_counts,
        at.model / "history.json",
        at.ranks / "ranks.parquet",
        at.report / "metrics.json",
        at.report / "baselines.json",
        at.report / "data.json",
        at.report / "descriptions.json",
        Path("reports/published.yaml"),
    ],
}
WRITES: dict[str, list[Path]] = {
    "ingest": [
        *RECORDS,
        at.images,
        at.ingest_counts,
        *(at.inputs(part) for part in PARTS if part not in ("mention_text", CHOICES)),
    ],
    "retrieve": [at.labels, at.candidates, at.retrieve_counts, at.retrieve_runs],
    "rank": [at.descriptions, at.rank_counts, at.ledger, at.inputs("mention_text")],
    "compare": [at.choices, at.inputs(CHOICES)],
    "audit": [at.leaks, at.report / "data.json"],
    "encode": [at.features / PARTS[0]],
    "baselines": [at.ranks / "baselines.parquet", at.report / "baselines.json"],
    "train": [
        at.model / "matcher.safetensors",
        at.model / "untrained.safetensors",
        at.model / "history.json",
        at.report / "training/metrics.json",
        at.report / "training/plots/metrics",
    ],
    "evaluate": [
        at.ranks / "ranks.parquet",
        at.report / "metrics.json",
        at.report / "plots/ranks.csv",
    ],
    "benefit": [at.ranks / "descriptions.parquet", at.report / "descriptions.json"],
    "report": [at.report / "report.html", at.report / "report.md"],
}


def test_the_stages_and_their_order() -> None:
    assert tuple(STAGES) == ORDER


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_runs_its_module_once_a_data_set(stage: str) -> None:
    parts = {"part": list(PARTS)} if stage == "encode" else {}
    assert STAGES[stage]["matrix"] == {"dataset": "${datasets}"} | parts
    part = " mention_text" if parts else ""
    assert resolved(STAGES[stage]["cmd"]) == f"python -m pipeline.{stage} {at.dataset}{part}"
    assert f"pipeline.{stage}" in modules()
    assert STAGES[stage]["desc"]


@pytest.mark.parametrize("stage", ORDER)
def test_the_code_deps_are_what_the_stage_imports(stage: str) -> None:
    code = [path for path in entries(stage, "deps") if path.startswith(CODE)]
    assert set(code) == stage_deps(stage)
    assert code == sorted(code)
    assert [path for path in code if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("stage", ORDER)
def test_the_files_are_those_that_the_layout_names(stage: str) -> None:
    assert set(data_deps(stage)) == {path.as_posix() for path in READS[stage]}
    assert set(written(stage)) == {path.as_posix() for path in WRITES[stage]}


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_uses_every_place_that_it_names_and_no_other(stage: str) -> None:
    """What a stage's modules in pipeline take of its Layout covers, and is covered by, deps and outs."""
    shared = {"pipeline/layout.py", "pipeline/stage.py"}
    own = [p for p in stage_deps(stage) - shared if p.startswith("pipeline/")]
    nodes = [n for path in own for n in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))]
    used = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and "at" in (getattr(node.value, "id", None), getattr(node.value, "attr", None))
    }
    literals = {node.value for node in nodes if isinstance(node, ast.Constant)}
    inputs = [at.inputs(part) for part in PARTS if part in literals or stage == "encode"]
    places = [
        place
        for name in used - {"dataset", "work"}
        for place in (inputs if name == "inputs" else [getattr(at, name)])
    ]
    named = [Path(path) for path in (*data_deps(stage), *written(stage))]
    unused = [p for p in named if not any(p.is_relative_to(place) for place in places)]
    assert [path.as_posix() for path in unused] == (
        ["reports/published.yaml"] if stage == "report" else []
    )
    if stage == "encode":  # one part of five; the raw folder stands in the input by its hashes
        places = [place for place in places if place in (at.inputs(PARTS[0]), at.features)]
    unnamed = [place for place in places if not any(p.is_relative_to(place) for p in named)]
    assert unnamed == []


def test_no_place_of_the_layout_is_left_out() -> None:
    named = {Path(path) for stage in ORDER for path in (*data_deps(stage), *written(stage))}
    fixed = [n for n, v in vars(Layout).items() if isinstance(v, property) and n != "interim"]
    assert [n for n in fixed if not any(p.is_relative_to(getattr(at, n)) for p in named)] == []


def test_every_file_is_written_once_and_before_it_is_read() -> None:
    ready = [at.raw.as_posix(), "reports/published.yaml"]
    for stage in ORDER:
        unready = set(data_deps(stage)) - set(ready)
        assert unready == set(), stage
        for part in PARTS if stage == "encode" else PARTS[:1]:
            ready += (
                [path.replace(PARTS[0], part) for path in written(stage)]
                if (stage == "encode")
                else written(stage)
            )
    assert [path for path, count in Counter(ready).items() if count > 1] == []


def test_no_out_lies_in_another() -> None:
    outs = [Path(path) for stage in ORDER for path in written(stage)]
    assert [(a, b) for a in outs for b in outs if a != b and a.is_relative_to(b)] == []


def in_full(params: list[str]) -> list[str]:
    """A whole section as its knobs."""
    sections = {kind.SECTION: sorted(knobs_of(kind)) for kind in SECTIONS}
    return [knob for name in params for knob in sections.get(name, [name])]


@pytest.mark.parametrize("stage", ORDER)
def test_the_params_are_the_knobs_that_the_stage_reads(stage: str) -> None:
    listed = in_full(STAGES[stage]["params"])
    assert set(listed) == knobs_read_by(f"pipeline.{stage}")
    assert len(listed) == len(set(listed))


def test_every_knob_is_read_by_a_stage() -> None:
    read = {knob for stage in ORDER for knob in in_full(STAGES[stage]["params"])}
    assert read == {knob for kind in SECTIONS for knob in knobs_of(kind)}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("train(file.section(ReportParams))", {"report.num_examples"}),
        ("p = file.section(EncodeParams); p.model; p.device", {"encode.model", "encode.device"}),
        ("p, q = file.section(ReportParams), 1; q", set()),
        ("p, q = 1, file.section(ReportParams); f(q)", {"report.num_examples"}),
        ("p = file.section(ReportParams); {k: 1 for k in (p, 2)}", {"report.num_examples"}),
        ("p = file.section(ReportParams); p.model_dump()", {"report.num_examples"}),
        ("f(file.section(EncodeParams).device)", {"encode.device"}),
        (
            "def inner(): return p.feature_config\n p = file.section(EncodeParams)\n p.feature_config",
            {"encode.model", "encode.max_text_length", "encode.description_budget"}
            | {"encode.precision"},
        ),
    ],
)
def test_the_knobs_are_found_in_the_source(body: str, read: set[str]) -> None:
    head = (
        "from mmoe.config.report import ReportParams\nfrom mmoe.config.encode import EncodeParams\n"
    )
    lines = body.replace("; ", "\n ")
    assert knobs_in(ast.parse(f"{head}def stage(at, file):\n {lines}")) == read


def test_metrics_live_in_git() -> None:
    """So that a fresh clone can show and diff them; everything else is DVC's."""
    listed = {stage: STAGES[stage].get("metrics") for stage in ORDER}
    assert {stage: metrics for stage, metrics in listed.items() if metrics} == {
        "baselines": [{"reports/${item.dataset}/baselines.json": {"cache": False}}],
        "evaluate": [{"reports/${item.dataset}/metrics.json": {"cache": False}}],
    }


def test_the_data_report_lives_in_git_but_is_no_metric() -> None:
    """Its eighty numbers would drown the metrics in `dvc exp show`."""
    listed = [entry for entry in STAGES["audit"]["outs"] if isinstance(entry, dict)]
    assert listed == [{"reports/${item.dataset}/data.json": {"cache": False}}]


def test_what_comes_after_training_can_come_out_of_the_run_cache() -> None:
    """DVC's run cache leaves a stage out of which an output is neither cached nor a metric."""
    for stage in ORDER[ORDER.index("train") :]:
        assert all(isinstance(entry, str) for entry in STAGES[stage]["outs"]), stage


def test_nothing_persists_through_a_run() -> None:
    """`persist` would turn the run-cache off; what must survive a kill lies in .mmoe."""
    for stage in ORDER:
        for entry in [e for key in ("outs", "plots") for e in STAGES[stage].get(key, [])]:
            options = {} if isinstance(entry, str) else next(iter(entry.values()))
            assert options.keys() <= {"x", "y", "template", "cache"}
    assert not at.work("train").is_relative_to("data")
