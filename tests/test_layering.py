"""Imports run one way. The table below is the house's plan: a new arrow is a decision, made here first."""

from __future__ import annotations

import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports import OURS, ROOT, imports_of, modules, reached_from

# Value types, files and names, which everybody may use; they know nobody.
BASE = {
    *("errors", "files", "images", "locks", "longer_names", "names", "records", "sealed_parquet"),
    "shares",
    "surface_forms",
}
RANKING = {"bm25", "vectors"}
MATCHING = {"evaluation", "features", "linking", "model", "tensor_files"}
ROOMS = {
    "errors": set[str](),
    "code_fingerprint": set[str](),
    "names": set[str](),
    "surface_forms": set[str](),
    "longer_names": {"surface_forms"},
    "shares": set[str](),
    "bm25": set[str](),
    "vectors": set[str](),
    "locks": {"errors"},
    "images": {"errors"},
    "interrupts": set[str](),
    "files": {"code_fingerprint", "errors", "locks"},
    "sealed_parquet": {"files"},
    "tensor_files": {"errors", "files"},
    "sqlite_cache": {"errors"},
    "config": {"errors", "files"},
    "records": {"errors", "files", "sealed_parquet"},
    "retry_after": set[str](),
    "on_ray": {"errors"},
    "datasets": BASE,
    "wikidata": BASE | {"config", "on_ray", "retry_after", "sqlite_cache"},
    "descriptions": BASE | RANKING | {"config", "retry_after", "sqlite_cache"},
    "features": BASE,
    "encoders": BASE | {"code_fingerprint", "config", "features", "tensor_files"},
    "model": {"config", "errors", "files", "names", "records"},
    "evaluation": {"errors", "files", "names", "records", "shares"},
    "linking": BASE | {"config", "evaluation", "features", "model", "tensor_files"},
    "training": BASE | MATCHING | {"config"},
    "tuning": BASE | MATCHING | {"config", "encoders", "training"},
    "audit": BASE | {"evaluation"},
    "baselines": BASE | RANKING | {"evaluation", "features"},
    "description_ablation": BASE | MATCHING | {"baselines"},
    "reranking": BASE | MATCHING | RANKING | {"baselines"},
    "reporting": BASE | {"evaluation"},
    "linker": BASE
    | MATCHING
    | {
        "baselines",
        "bm25",
        "config",
        "datasets",
        "descriptions",
        "encoders",
        "reranking",
        "wikidata",
    },
    "planning": BASE | {"config", "encoders", "features", "linking", "model", "training"},
    "cli": BASE
    | {"config", "datasets", "encoders", "evaluation", "linker", "linking", "model", "planning"}
    | {"interrupts", "server", "sqlite_cache", "wikidata"},
    "server": BASE | {"datasets", "linker"},
    "__main__": {"cli", "interrupts"},
}
LIBRARIES = {
    "config": {"pydantic", "pydantic_core", "ruamel"},
    "records": {"pyarrow"},
    "model": {"numpy", "pydantic", "scipy", "torch"},
    "evaluation": {"numpy", "pandas", "scipy"},
}
ONLY_IN = {
    "transformers": ("mmoe.encoders",),
    "tokenizers": ("mmoe.encoders",),
    "dvclive": ("pipeline.live",),
    "dvc": ("mmoe.cli.runs",),
    "torch": (
        *("mmoe.encoders", "mmoe.features", "mmoe.model", "mmoe.linking", "mmoe.training"),
        "mmoe.tuning",
        *("mmoe.description_ablation.ranks", "mmoe.linker", "mmoe.reranking.context"),
        "mmoe.tensor_files",
        "mmoe.baselines.late_interaction",
        *("mmoe.planning.bench", "mmoe.reranking.files", "mmoe.reranking.matcher"),
        *("pipeline.rerank", "pipeline.spread", "pipeline.train", "pipeline.tuning"),
    ),
    "peft": ("mmoe.encoders.tuned",),
    "duckdb": ("mmoe.wikidata",),
    "bm25s": ("mmoe.bm25",),
    "sklearn": ("mmoe.reranking",),
    "requests": ("mmoe.datasets.download", "mmoe.wikidata"),
    "requests_cache": ("mmoe.wikidata",),
    "pooch": ("mmoe.datasets.download",),
    "orjson": ("mmoe.wikidata",),
    "ray": ("mmoe.on_ray",),
    "h5py": ("mmoe.images",),
    "imagehash": ("mmoe.datasets.fingerprints",),
    "altair": ("mmoe.reporting",),
    "jinja2": ("mmoe.reporting", "mmoe.descriptions.prompting"),
    "openai": ("mmoe.descriptions.llm_client",),
    "typer": ("mmoe.cli",),
    "fastapi": ("mmoe.server",),
    "starlette": ("mmoe.server",),
    "prometheus_client": ("mmoe.server",),
    "uvicorn": ("mmoe.cli.serving",),
    "ahocorasick_rs": ("mmoe.linker.finding",),
    "huggingface_hub": ("mmoe.linker.hub",),
}
LIGHT = (
    *("fingerprints", "ingest", "retrieve", "rank", "description_ablation", "metrics", "report"),
    *("audit", "tune", "show"),
)


def room(module: str) -> str:
    """`mmoe.model.router` lies in `model`; mmoe itself in no room, ""."""
    return module.partition(".")[2].partition(".")[0]


def under(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


def libraries_of(module: str) -> set[str]:
    """What a module imports that is neither ours nor Python's."""
    top = {name.partition(".")[0] for name in imports_of(module)}
    return top - sys.stdlib_module_names - set(OURS)


def arrows(root: Path = ROOT) -> dict[str, set[str]]:
    """Which rooms of mmoe each room imports."""
    found: dict[str, set[str]] = {}
    for module in modules(root):
        if under(module, "mmoe") and room(module):
            rooms = {room(name) for name in imports_of(module, root) if under(name, "mmoe")}
            found.setdefault(room(module), set()).update(rooms - {room(module)})
    return found


def test_the_plan_knows_every_room() -> None:
    assert arrows().keys() - ROOMS.keys() == set()


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


def test_training_and_evaluation_do_not_reach_the_encoder() -> None:
    for stage in ("baselines", "train", "evaluate", "metrics", "report"):
        reached = reached_from(f"pipeline.{stage}")
        assert not [name for name in reached if under(name, "mmoe.encoders")], stage


def test_the_light_stages_start_without_torch() -> None:
    """Run, not read: it counts what libraries import in turn, and the check of params.yaml."""
    heavy = {"torch", "transformers", "dvc", "dvclive", "altair", "scipy.stats"}
    code = (
        "import importlib, sys, pipeline.stage; pipeline.stage.checked_params()\n"
        f"for stage in {LIGHT}:\n"
        " importlib.import_module(f'pipeline.{stage}')\n"
        f" print(stage, *sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == list(LIGHT)


@pytest.mark.parametrize(
    "line",
    [
        "import mmoe.training.data",
        "from mmoe import training",
        "from mmoe.training import data",
        "def late() -> None:\n    from mmoe.training.data import LinkingData",
    ],
)
def test_a_forbidden_arrow_would_be_seen(line: str, tmp_path: Path) -> None:
    for name in ("model", "training"):
        (tmp_path / "mmoe" / name).mkdir(parents=True)
        (tmp_path / "mmoe" / name / "__init__.py").touch()
    (tmp_path / "mmoe" / "training" / "data.py").touch()
    (tmp_path / "mmoe" / "model" / "router.py").write_text(line)
    assert arrows(tmp_path)["model"] == {"training"}
