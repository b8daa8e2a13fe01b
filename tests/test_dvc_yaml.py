"""dvc.yaml says what the code says: its files, its order, and the knobs that each stage reads."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mmoe.config.check import UNTRACKED, all_sections

from pipeline.layout import FINGERPRINTS, MATCHER_PARTS, PARTS, STAGES, Layout
from tests.config.knobs import knobs_in, knobs_of, knobs_read_by
from tests.imports import ROOT, modules, reached_from

SPECS: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
OF_DATA = STAGES[1:]  # the stages that run once a data set
at = Layout("some-set")
UNTRACKED_KNOBS = {knob for kind in UNTRACKED for knob in knobs_of(kind)}


def resolved(text: str) -> str:
    """A path or command of dvc.yaml for our data set."""
    values = {"item.dataset": at.dataset, "data.leak_policy": "keep"}
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def entries(stage: str, key: str) -> list[str]:
    """The paths of a list in dvc.yaml, whose entries may carry options."""
    listed = SPECS[stage].get(key, [])
    return [resolved(e if isinstance(e, str) else next(iter(e))) for e in listed]


def written(stage: str) -> list[str]:
    """All files and folders that a stage writes."""
    return [path for key in ("outs", "metrics", "plots") for path in entries(stage, key)]


def test_the_stages_and_their_order() -> None:
    assert tuple(SPECS) == STAGES


def test_the_lock_holds_no_stage_of_the_past() -> None:
    locked = YAML(typ="safe", pure=True).load(ROOT / "dvc.lock")["stages"]
    assert {name.partition("@")[0] for name in locked} == set(STAGES)


@pytest.mark.parametrize("stage", OF_DATA)
def test_a_stage_runs_its_module_once_a_data_set(stage: str) -> None:
    assert SPECS[stage]["matrix"] == {"dataset": "${datasets}"}
    assert resolved(SPECS[stage]["cmd"]) == f"python -m pipeline.{stage} {at.dataset}"
    assert f"pipeline.{stage}" in modules()


def test_a_stage_depends_on_its_fingerprint_and_on_no_source() -> None:
    prints = [f"{FINGERPRINTS}/{stage}.json" for stage in OF_DATA]
    assert entries("fingerprints", "outs") == prints
    assert [entries(stage, "deps")[0] for stage in OF_DATA] == prints
    everything = [path for stage in OF_DATA for path in entries(stage, "deps")]
    assert not [path for path in everything if path.endswith(".py") or path.startswith("mmoe")]


@pytest.mark.parametrize("stage", [stage for stage in OF_DATA if stage != "report"])
def test_a_stage_uses_every_place_that_it_names_and_no_other(stage: str) -> None:
    """What a stage's modules in pipeline take of its Layout covers, and is covered by, deps and outs."""
    # pipeline.current compares checksums of what the features' own stage depends on.
    shared = {"pipeline", "pipeline.current", "pipeline.layout", "pipeline.stage"}
    own = [n for n in reached_from(f"pipeline.{stage}") - shared if n.startswith("pipeline.")]
    nodes = [n for name in own for n in ast.walk(ast.parse((ROOT / modules()[name]).read_text()))]
    used = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and "at" in (getattr(node.value, "id", None), getattr(node.value, "attr", None))
    }
    literals = {node.value for node in nodes if isinstance(node, ast.Constant)}
    policies = [name for name in ("keep", "drop") if name in literals] or ["keep"]
    all_of = {"encode": {*PARTS}, "tune": {*MATCHER_PARTS}}
    methods: dict[str, Sequence[Path]] = {
        "records": at.records,
        "choice": at.choice,
        "inputs": [
            at.inputs(part) for part in PARTS if part in literals | all_of.get(stage, set())
        ],
        "left_out": [at.left_out(policy) for policy in policies],
    }
    places = [
        place
        for name in used - {"dataset", "work", "locks", "made_of"}
        for place in methods.get(name) or [getattr(at, name)]
    ]
    named = [Path(path) for path in (*entries(stage, "deps")[1:], *written(stage))]
    unused = [p for p in named if not any(p.is_relative_to(place) for place in places)]
    assert unused == []
    places = [
        p for p in places if stage not in ("encode", "tune") or p != at.raw
    ]  # its images stand in by their hashes
    assert [p for p in places if not any(n.is_relative_to(p) for n in named)] == []


def test_the_report_reads_every_file_that_it_depends_on_and_no_other() -> None:
    """mmoe.reporting finds them below the project's folder."""
    tree = ast.parse((ROOT / "mmoe/reporting/inputs.py").read_text())
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    literals = {text for text in constants if isinstance(text, str)}
    endings = (".json", ".parquet", ".yaml")
    read = {Path(text).name for text in literals if text.endswith(endings) and " " not in text}
    assert read == {Path(path).name for path in entries("report", "deps")[1:]} - {at.raw.name}


def test_every_file_is_written_once_and_before_it_is_read() -> None:
    ready = [at.raw.as_posix(), "reports/published.yaml"]
    for stage in STAGES:
        assert set(entries(stage, "deps")) - set(ready) == set(), stage
        ready += written(stage)
    assert [path for path, count in Counter(ready).items() if count > 1] == []
    outs = [Path(path) for path in ready]
    assert [(a, b) for a in outs for b in outs if a != b and a.is_relative_to(b)] == []


def in_full(params: list[str]) -> list[str]:
    """A whole section as its knobs."""
    sections = {kind.SECTION: sorted(knobs_of(kind)) for kind in all_sections()}
    return [knob for name in params for knob in sections.get(name, [name])]


@pytest.mark.parametrize("stage", OF_DATA)
def test_the_params_are_the_knobs_that_the_stage_reads(stage: str) -> None:
    listed = in_full(SPECS[stage]["params"])
    assert set(listed) == knobs_read_by(f"pipeline.{stage}") - UNTRACKED_KNOBS
    assert len(listed) == len(set(listed))


def test_every_knob_is_tracked_by_a_stage_or_decides_nothing() -> None:
    tracked = {knob for stage in OF_DATA for knob in in_full(SPECS[stage]["params"])}
    assert tracked.isdisjoint(UNTRACKED_KNOBS)
    assert tracked | UNTRACKED_KNOBS == {knob for kind in all_sections() for knob in knobs_of(kind)}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("train(file.section(ReportParams))", {"report.num_examples"}),
        ("p = file.section(EncodeParams); p.model", {"encode.model"}),
        ("p, q = file.section(ReportParams), 1; q", set()),
        ("p, q = 1, file.section(ReportParams); f(q)", {"report.num_examples"}),
        ("p = file.section(ReportParams); {k: 1 for k in (p, 2)}", {"report.num_examples"}),
        ("p = file.section(ReportParams); p.model_dump()", {"report.num_examples"}),
        ("f(file.section(EncodeParams).precision)", {"encode.precision"}),
        ("self.p = file.section(EncodeParams); self.p.model", {"encode.model"}),
        ("self.p = file.section(ReportParams); f(self.p)", {"report.num_examples"}),
        (
            "def inner(): return p.feature_config\n p = file.section(EncodeParams)\n p.feature_config",
            {"encode.model", "encode.max_text_length", "encode.description_budget"}
            | {"encode.precision", "encode.keep_padding", "encode.dtype", "encode.keep_base"},
        ),
    ],
)
def test_the_knobs_are_found_in_the_source(body: str, read: set[str]) -> None:
    head = (
        "from mmoe.config.report import ReportParams\nfrom mmoe.config.encode import EncodeParams\n"
    )
    lines = body.replace("; ", "\n ")
    assert knobs_in(ast.parse(f"{head}def stage(at, file):\n {lines}")) == read


def test_what_dvc_counts_as_metrics_are_the_eight_in_git() -> None:
    """All others would drown them in `dvc exp show`."""
    found = {stage: spec["metrics"] for stage, spec in SPECS.items() if "metrics" in spec}
    assert found == {"metrics": [{"reports/${item.dataset}/metrics.json": {"cache": False}}]}


def test_every_stage_can_come_out_of_the_run_cache() -> None:
    """DVC's run cache leaves out a stage with an output that is neither cached nor a metric, or persists."""
    for stage in STAGES:
        assert all(isinstance(entry, str) for entry in SPECS[stage]["outs"]), stage
    options = [
        next(iter(entry.values()))
        for spec in SPECS.values()
        for key in ("outs", "plots")
        for entry in spec.get(key, [])
        if isinstance(entry, dict)
    ]
    assert not [option for option in options if option.keys() - {"x", "y", "template", "cache"}]
