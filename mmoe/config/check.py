"""The whole of params.yaml at once: `make check`, and every stage before it starts.

Stages call this only to stop early; nothing that it reads reaches an output, so no stage of dvc.yaml
depends on this module.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import get_args

from mmoe.config.bundle import BundleParams
from mmoe.config.data import DataParams
from mmoe.config.description_ablation import DescriptionAblationParams
from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.llm import LlmParams
from mmoe.config.load import ParamsFile
from mmoe.config.loss import SOME_HAVE, LossParams
from mmoe.config.matchers import MATCHER_SECTIONS, matcher_section
from mmoe.config.model import ModelParams, Unit
from mmoe.config.moved import moved_keys, renamed_backends
from mmoe.config.rank import RankParams
from mmoe.config.report import ReportParams
from mmoe.config.rerank import RerankParams
from mmoe.config.retrieve import RetrieveParams
from mmoe.config.runtime import RuntimeParams
from mmoe.config.section import Section
from mmoe.config.train import TrainParams
from mmoe.config.tune import TuneParams
from mmoe.config.wikidata import WikidataParams
from mmoe.errors import ConfigError

SECTIONS: tuple[type[Section], ...] = (
    DataParams,
    RetrieveParams,
    RankParams,
    DescriptionAblationParams,
    TuneParams,
    EncodeParams,
    ModelParams,
    LossParams,
    TrainParams,
    RerankParams,
    EvaluateParams,
    ReportParams,
    BundleParams,
    RuntimeParams,
    LlmParams,
    WikidataParams,
)

RAW = Path("data/raw")
# They decide no result, so no stage of dvc.yaml tracks them.
UNTRACKED: tuple[type[Section], ...] = (RuntimeParams, LlmParams, WikidataParams)

_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def all_sections() -> tuple[type[Section], ...]:
    """Those of the pipeline and, behind `model`, of every matcher."""
    behind = SECTIONS.index(ModelParams) + 1
    return *SECTIONS[:behind], *MATCHER_SECTIONS.values(), *SECTIONS[behind:]


def check_params(params: ParamsFile) -> None:
    """Validates every section and the rules between sections.

    Raises:
        ConfigError: one line for each thing that is wrong.
    """
    problems = _moved_problems(params)
    if problems:  # the rules below would call them unknown
        raise ConfigError("\n".join(problems))
    problems = [*_dataset_problems(params), *_unknown_sections(params)]
    for kind in all_sections():
        try:
            params.section(kind)
        except ConfigError as error:
            problems.append(str(error))
    problems = problems or _problems_between_sections(params)
    if problems:
        raise ConfigError("\n".join(problems))


def check_places(params: ParamsFile) -> None:
    """Checks that what params.yaml names on this disk is there, relative to the project's root.

    Raises:
        ConfigError: one line for each data set or encoder folder that is missing, with near names.
    """
    problems = [
        f"{params.path}: datasets: no folder {RAW / name}; put the data set there{_near(RAW / name)}"
        for name in dataset_names(params)
        if not (RAW / name).is_dir()
    ]
    for key, name in _encoders(params):
        folder = Path(name)
        parts = folder.parts
        # A Hugging Face id has two parts; a folder is meant by more, or by one that stands here.
        is_local = len(parts) > 2 or name.startswith((".", "/")) or Path(parts[0]).is_dir()
        if is_local and not name.startswith("package:") and not folder.is_dir():
            problems.append(f"{params.path}: {key} = {name!r}: no such folder{_near(folder)}")
    if problems:
        raise ConfigError("\n".join(problems))


def _encoders(params: ParamsFile) -> list[tuple[str, str]]:
    rank = params.section(RankParams)
    found = [("encode.model", params.section(EncodeParams).model)]
    return found + ([("rank.encoder", rank.encoder)] if rank.encoder else [])


def _near(path: Path) -> str:
    """The folders beside a missing one whose names are like its own."""
    beside = path.parent
    names = [p.name for p in sorted(beside.iterdir()) if p.is_dir()] if beside.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5) or names[:5]
    return f"; there is {', '.join(str(beside / name) for name in close)}" if close else ""


def _moved_problems(params: ParamsFile) -> list[str]:
    names = [f"{key}: {old} is now {new}" for key, old, new in renamed_backends(params.content)]
    return [f"{params.path}: {line}" for line in (*moved_keys(params.content), *names)]


def dataset_names(params: ParamsFile) -> list[str]:
    """The data sets of the run, as `datasets` lists them."""
    return list(params.content.get("datasets") or [])


def _dataset_problems(params: ParamsFile) -> list[str]:
    names = params.content.get("datasets")
    if not isinstance(names, list) or not names:
        return [f"{params.path}: datasets = {names!r}: must list at least one folder of data/raw"]
    return [
        f"{params.path}: datasets: {name!r} is not the name of a folder (letters, digits, . _ -)"
        for name in names
        if not (isinstance(name, str) and _DATASET.fullmatch(name))
    ] + [f"{params.path}: datasets: {name!r} stands twice" for name in _repeated(names)]


def _repeated(names: list[object]) -> list[object]:
    return [name for i, name in enumerate(names) if name in names[:i]]


def _unknown_sections(params: ParamsFile) -> list[str]:
    known = {"datasets", *(kind.SECTION for kind in all_sections())}
    return [
        f"{params.path}: unknown section `{name}`; known: {', '.join(sorted(known))}"
        for name in params.content
        if name not in known
    ]


def _problems_between_sections(params: ParamsFile) -> list[str]:
    name = params.section(ModelParams).name
    wanted = params.section(matcher_section(name)).needs_padding
    if params.section(EncodeParams).keep_padding != wanted:
        why = "computes with padding" if wanted else "must not see padding"
        return [
            f"{params.path}: encode.keep_padding: must be {str(wanted).lower()}: model.name = {name} {why}"
        ]
    tunes = params.section(TuneParams).method != "none"
    if name == "dsmip" and tunes and not params.section(EncodeParams).keep_base:
        return [
            f"{params.path}: encode.keep_base: must be true: two experts of model.name = dsmip read features "
            "of the untuned encoder"
        ]
    if params.section(TrainParams).from_ == "tune" and not tunes:
        return [f"{params.path}: train.from = tune: tune.method must not be none"]
    units, terms = params.section(ModelParams).units, params.section(LossParams).terms
    # A term that is no unit's may be the matcher's own: mmoe.model.registry knows when it trains.
    if set(terms) & set(units) or not set(terms) <= {*get_args(Unit), *SOME_HAVE}:
        return []
    return [
        f"{params.path}: loss.terms = {list(terms)}: none of them is overall or one of "
        f"model.units = {list(units)}, so nothing would be trained"
    ]
