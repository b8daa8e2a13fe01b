"""Stage fingerprints: what every other stage computes with, so that it runs again when that changes and not
when a comment does.

usage  python -m pipeline.fingerprints
in     the code of mmoe and pipeline, params.yaml, and the files and folders that it names
out    data/fingerprints/<stage>.json, one a stage

The others depend on these files in place of their sources. A file holds a hash of each module that its stage
imports, followed through, less what decides no value; and of what lies behind a name in params.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmoe.code_fingerprint import Codebase, short_key
from mmoe.config.backends import LOCAL_BACKENDS
from mmoe.config.check import check_places
from mmoe.config.data import DataParams
from mmoe.config.description_ablation import DescriptionAblationParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.loss import LossParams
from mmoe.config.matchers import matcher_section
from mmoe.config.model import ModelParams
from mmoe.config.rank import RankParams
from mmoe.config.retrieve import RetrieveParams
from mmoe.config.section import Section
from mmoe.config.train import TrainParams
from mmoe.config.tune import TuneParams
from mmoe.descriptions.prompting.prompts import load_prompt
from mmoe.errors import DataError
from mmoe.files import read_sealed_json, sha256_of, write_json, write_sealed_json

from pipeline.layout import FINGERPRINTS, STAGES
from pipeline.plots import write_vega
from pipeline.stage import checked_params, exit_on_mistake

ROOT = Path(__file__).parent.parent
# How a stage starts, stops and says what it does.
VALUELESS = (
    *("mmoe", "mmoe.code_fingerprint", "mmoe.errors", "mmoe.locks"),
    *("mmoe.config.runtime", "mmoe.config.llm", "mmoe.config.wikidata"),
    *("pipeline", "pipeline.layout", "pipeline.stage"),
)
WRITES_A_NOTE = ("pipeline.tune", "mmoe.files")  # stage tune where nothing is tuned
# Data of a package, by the module that reads it.
PACKAGE_DATA = {
    "mmoe.descriptions.prompting": "mmoe/descriptions/prompts",
    "mmoe.reporting.page": "mmoe/reporting/templates",
}
BACKEND_MODULES = {module.partition(":")[0] for module in LOCAL_BACKENDS.values()}
MEMORY = Path(".mmoe/fingerprints.json")  # of sources and files that have not changed since


class Fingerprints:
    """The fingerprints of all stages under one params.yaml."""

    def __init__(self, file: ParamsFile) -> None:
        self.encode, self.rank = file.section(EncodeParams), file.section(RankParams)
        self.retrieve, self.tune = file.section(RetrieveParams), file.section(TuneParams)
        self._file = file
        self.ablation = file.section(DescriptionAblationParams)
        kept = _memory()
        self.code = Codebase(ROOT, ("mmoe", "pipeline"), kept.get("code", {}))
        self._stamped: dict[str, Any] = kept.get("files", {})
        self._seen: dict[str, Any] = {}

    def of(self, stage: str) -> dict[str, Any]:
        """What a stage's file holds."""
        modules = self.code.reached_from(
            f"pipeline.{stage}", lambda name: not self._decides(stage, name)
        )
        data = {
            path.relative_to(ROOT).as_posix(): self._hash(path)
            for module, folder in PACKAGE_DATA.items()
            if module in modules
            for path in _files(ROOT / folder)
        }
        trees = {name: tree[:16] for name, tree in self.code.trees(modules).items()}
        return {
            "behind_names": {
                key: load_prompt(name).version if key == "rank.prompt" else self._behind(name)
                for key, name in self._named(stage)
            },
            "code": trees | data,
        } | ({"params": self._of_tuning()} if stage == "tune" and self._tunes else {})

    @property
    def _tunes(self) -> bool:
        return self.tune.method != "none"

    def _of_tuning(self) -> dict[str, Any]:
        """What decides a tuned encoder beside section `tune`. DVC would track it with `method: none`, too."""
        model = self._file.section(ModelParams)
        kinds: tuple[type[Section], ...] = (
            DataParams,
            EncodeParams,
            matcher_section(model.name),
            LossParams,
            TrainParams,
        )
        sections: list[Section] = [model, *(self._file.section(kind) for kind in kinds)]
        values = {each.SECTION: each.model_dump(mode="json") for each in sections}
        return values | {"data": {"leak_policy": values["data"]["leak_policy"]}}

    def remember(self) -> None:
        """Keeps what was hashed for the next run."""
        write_sealed_json(MEMORY, {"by": _own(), "code": self.code.used(), "files": self._seen})

    def _decides(self, stage: str, module: str) -> bool:
        """Whether a module can change what the stage writes, with these parameters."""
        if module in VALUELESS:
            return False
        if stage == "tune" and not self._tunes:
            return module in WRITES_A_NOTE
        if _in(module, "mmoe.wikidata.api"):
            return self.retrieve.source == "api"
        if module in BACKEND_MODULES:
            return module in self._backends(stage)
        if module == "pipeline.language_model" or _in(module, "mmoe.descriptions.llm_client"):
            return self.rank.backend == "openai"
        if stage == "rank" and _in(module, "mmoe.encoders"):
            return self.rank.backend == "embedding"
        return True

    def _backends(self, stage: str) -> set[str]:
        """The modules of the backends that the stage runs."""
        chosen = [self.rank.backend] if stage == "rank" else []
        if stage == "description_ablation" and self.ablation.enabled:
            chosen = list(self.ablation.backends)
        return {LOCAL_BACKENDS[name].partition(":")[0] for name in chosen if name in LOCAL_BACKENDS}

    def _named(self, stage: str) -> Iterator[tuple[str, str]]:
        """The knobs that name an encoder, a prompt or an index which the stage reads."""
        if stage in ("audit", "encode", "description_ablation") or (
            stage == "tune" and self._tunes
        ):
            yield "encode.model", self.encode.model
        embeds = "embedding" in self.ablation.backends or stage == "rank"
        if stage in ("rank", "description_ablation") and embeds and self.rank.encoder:
            yield "rank.encoder", self.rank.encoder
        if stage == "rank" and self.rank.backend == "embedding" and not self.rank.encoder:
            yield "encode.model", self.encode.model
        if stage == "rank" and self.rank.backend == "openai":
            yield "rank.prompt", self.rank.prompt
        # Other sources are shown beside the index that is named.
        if stage == "retrieve" and self.retrieve.source != "none" and self.retrieve.index:
            yield "retrieve.index", self.retrieve.index

    def _behind(self, name: str) -> str | None:
        """The content of a file or folder; None for what is not on this disk, such as a Hugging Face id."""
        package, _, folder = name.removeprefix("package:").partition("/")
        path = Path(name)
        if name.startswith("package:"):
            spec = find_spec(package)
            if spec is None or spec.origin is None:
                return None
            path = Path(spec.origin).parent / folder
        if not path.exists():
            return None
        top = path if path.is_dir() else path.parent
        return short_key(*(f"{p.relative_to(top)} {self._hash(p)}" for p in _files(path)))

    def _hash(self, path: Path) -> str:
        """Of a file's bytes; an encoder's weights are read again only if size or time of change differ."""
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns]
        name = str(path.absolute())
        known = self._stamped.get(name)
        digest = known[1] if known and known[0] == stamp else sha256_of(path)
        self._seen[name] = [stamp, digest]
        return digest[:16]


def _memory() -> dict[str, Any]:
    try:
        kept = read_sealed_json(MEMORY)
    except DataError:  # none yet, or a damaged one: it only saves time
        return {}
    return kept if kept.get("by") == _own() else {}


def _own() -> str:
    """What was hashed in another way is hashed again."""
    return sha256_of(ROOT / "mmoe/code_fingerprint.py")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".pyc")


def _in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def fingerprints() -> None:
    file = checked_params()
    check_places(file)
    found = Fingerprints(file)
    for stage in STAGES[1:]:
        write_json(FINGERPRINTS / f"{stage}.json", found.of(stage))
    found.remember()
    write_vega()  # here, as this stage runs in every run


if __name__ == "__main__":
    exit_on_mistake(fingerprints)
