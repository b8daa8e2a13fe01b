"""Imports run one way. The table below is the house's plan: a new arrow is a decision, made here first."""

from __future__ import annotations

import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests import imports
from tests.imports import ROOT, STAGES, imports_of, modules, reached_from

BASE = {"errors", "files", "names", "records"}
ROOMS = {
    "errors": set[str](),
    "names": set[str](),
    "files": {"errors"},
    "bm25": set[str](),
    "commands": {"errors"},
    "kept": {"errors"},
    "locks": set[str](),
    "shares": set[str](),
    "vectors": set[str](),
    "images": {"errors"},
    "config": {"errors", "files"},
    "records": {"errors", "files"},
    "datasets": BASE | {"commands", "locks", "images"},
    "wikidata": BASE | {"commands", "kept", "locks", "images", "shares"},
    "ranking": BASE | {"bm25", "kept", "images", "vectors"},
    "features": BASE | {"config", "images"},
    "model": {"config"},
    "training": BASE | {"config", "features", "model"},
    "ranks": BASE | {"evaluation", "model"},
    "evaluation": {"errors", "files"},
    "audit": BASE | {"evaluation"},
    "baselines": BASE | {"bm25", "evaluation", "features", "vectors"},
    "benefit": BASE | {"baselines", "evaluation", "shares", "training"},
    "reporting": BASE | {"evaluation", "images"},
    "sample": {"files", "wikidata"},
}
LIBRARIES = {
    "config": {"pydantic", "pydantic_core", "ruamel"},
    "records": {"pyarrow"},
    "model": {"pydantic", "torch"},
    "evaluation": {"numpy", "scipy"},
}
ONLY_IN = {
    "transformers": ("mmoe.encoders.encoder", "tools.sample"),
    "tokenizers": ("mmoe.encoders.encoder", "tools.sample"),
    "dvclive": ("pipeline",),
    "dvc": ("pipeline",),
    "torch": ("mmoe.features", "mmoe.model", "mmoe.training", "mmoe.linking", "tools.sample"),
    "duckdb": ("mmoe.wikidata",),
    "bm25s": ("mmoe.bm25",),
    "requests": ("mmoe.datasets.download", "mmoe.wikidata.api", "mmoe.wikidata.images"),
    "orjson": ("mmoe.wikidata",),
    "ray": ("mmoe.wikidata.index.on_ray",),
    "h5py": ("mmoe.images",),
    "imagehash": ("mmoe.datasets.fingerprints", "tools.sample.tables"),
    "altair": ("mmoe.reporting",),
    "jinja2": ("mmoe.reporting", "mmoe.descriptions.prompting"),
    "openai": ("mmoe.descriptions.llm_client",),
    "importlib": (
        "pipeline.stage",
        "mmoe.encoders.encoder",
        "mmoe.commands",
        "mmoe.wikidata.api.settings",  # its own version
    ),  # hides imports from these tests
}
LIGHT = ("ingest", "retrieve", "rank", "compare", "report", "check", "show")


def room(module: str) -> str:
    """`mmoe.model.router` lies in `model`; mmoe itself in no room, ""."""
    return module.partition(".")[2].partition(".")[0]


def under(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


def libraries_of(module: str) -> set[str]:
    """What a module imports that is neither ours nor Python's."""
    top = {name.partition(".")[0] for name in imports_of(module)}
    return top - sys.stdlib_module_names - set(imports.OURS)


def arrows() -> dict[str, set[str]]:
    """Which rooms of mmoe each room imports."""
    found: dict[str, set[str]] = {}
    for module in modules():
        if under(module, "mmoe") and room(module):
            rooms = {room(name) for name in imports_of(module) if under(name, "mmoe")}
            found.setdefault(room(module), set()).update(rooms - {room(module)})
    return found


def test_the_plan_knows_every_room_and_no_other() -> None:
    assert arrows().keys() == ROOMS.keys()


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_a_room_imports_only_what_the_plan_allows(name: str) -> None:
    assert arrows()[name] - ROOMS[name] == set()


def test_the_plan_has_no_circle() -> None:
    # prepare() raises on a circle.
    graphlib.TopologicalSorter(ROOMS).prepare()


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {name: {n for n in imports_of(name) if n in modules()} for name in modules()}
    # A package's __init__ gathers what its modules define; they may not ask it back.
    graphlib.TopologicalSorter(graph).prepare()


def test_mmoe_never_imports_the_pipeline_nor_tests() -> None:
    outside = ("pipeline", "tests", "benchmarks")
    found = {
        module: name
        for module in modules()
        if under(module, "mmoe")
        for name in imports_of(module)
        if any(under(name, folder) for folder in outside)
    }
    assert found == {}


@pytest.mark.parametrize("name", sorted(LIBRARIES))
def test_a_room_uses_only_its_own_libraries(name: str) -> None:
    used = {lib for module in modules() if room(module) == name for lib in libraries_of(module)}
    assert used - LIBRARIES[name] == set()


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    users = {
        module
        for module in modules()
        if any(name.partition(".")[0] == library for name in imports_of(module))
    }
    homes = ONLY_IN[library]
    assert {user for user in users if not any(under(user, home) for home in homes)} == set()


def test_no_stage_reaches_the_sample_or_the_check_of_all_sections() -> None:
    for stage in STAGES:
        reached = reached_from(f"pipeline.{stage}")
        assert "mmoe.config.check" not in reached, stage
        assert not [name for name in reached if under(name, "tools.sample")], stage


def test_training_and_evaluation_do_not_reach_the_encoder() -> None:
    for stage in ("baselines", "train", "evaluate", "benefit"):
        assert "mmoe.encoders.encoder" not in reached_from(f"pipeline.{stage}")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_short(stage: str) -> None:
    assert len((ROOT / "pipeline" / f"{stage}.py").read_text("utf-8").splitlines()) < 80


@pytest.mark.parametrize("stage", LIGHT)
def test_a_light_stage_starts_without_torch(stage: str) -> None:
    """Run, not read: it counts what libraries import in turn, and the check of params.yaml."""
    heavy = {"torch", "transformers", "dvc", "dvclive", "altair", "scipy.stats"}
    code = (
        f"import sys, pipeline.{stage}, pipeline.stage; pipeline.stage.checked_params(); "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "line",
    [
        "import mmoe.linking.data",
        "from mmoe import training",
        "from mmoe.training import data",
        "def late() -> None:\n    from mmoe.linking.data import LinkingData",
    ],
)
def test_a_forbidden_arrow_would_be_seen(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("model", "training"):
        (tmp_path / "mmoe" / name).mkdir(parents=True)
        (tmp_path / "mmoe" / name / "__init__.py").touch()
    (tmp_path / "mmoe" / "training" / "data.py").touch()
    (tmp_path / "mmoe" / "model" / "router.py").write_text(line)
    monkeypatch.setattr(imports, "ROOT", tmp_path)
    imports_of.cache_clear()
    try:
        assert arrows()["model"] == {"training"}
    finally:
        imports_of.cache_clear()


def test_a_relative_import_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mmoe").mkdir()
    (tmp_path / "mmoe" / "a.py").write_text("from . import b")
    monkeypatch.setattr(imports, "ROOT", tmp_path)
    imports_of.cache_clear()
    try:
        with pytest.raises(AssertionError, match="relative import"):
            imports_of("mmoe.a")
    finally:
        imports_of.cache_clear()
