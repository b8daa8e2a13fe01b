"""The whole of params.yaml at once: `make check`, and every stage before it starts.

Stages call this only to stop early; nothing that it reads reaches an output, so no stage of dvc.yaml
depends on this module.
"""

from __future__ import annotations

import re

from mmoe.config.compare import CompareParams
from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.loss import LossParams
from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.config.rank import RankParams
from mmoe.config.report import ReportParams
from mmoe.config.retrieve import RetrieveParams
from mmoe.config.section import Section
from mmoe.config.train import TrainParams
from mmoe.config.wikidata import WikidataParams
from mmoe.errors import ConfigError

SECTIONS: tuple[type[Section], ...] = (
    DataParams,
    RetrieveParams,
    WikidataParams,
    RankParams,
    CompareParams,
    EncodeParams,
    ModelParams,
    MoeParams,
    LossParams,
    TrainParams,
    EvaluateParams,
    ReportParams,
)

_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_params(params: ParamsFile) -> None:
    """Validates every section and the rules between sections.

    Raises:
        ConfigError: one line for each thing that is wrong.
    """
    problems = [*_dataset_problems(params), *_unknown_sections(params)]
    for kind in SECTIONS:
        try:
            params.section(kind)
        except ConfigError as error:
            problems.append(str(error))
    problems = problems or _problems_between_sections(params)
    if problems:
        raise ConfigError("\n".join(problems))


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
    known = {"datasets", *(kind.SECTION for kind in SECTIONS)}
    return [
        f"{params.path}: unknown section `{name}`; known: {', '.join(sorted(known))}"
        for name in params.content
        if name not in known
    ]


def _problems_between_sections(params: ParamsFile) -> list[str]:
    units, terms = params.section(ModelParams).units, params.section(LossParams).terms
    if "overall" in terms or set(terms) & set(units):
        return []
    return [
        f"{params.path}: loss.terms = {list(terms)}: none of them is overall or one of "
        f"model.units = {list(units)}, so nothing would be trained"
    ]
