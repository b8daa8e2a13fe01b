"""The plan of a data set: all stages from what ingest has left to the report."""

from __future__ import annotations

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.rank import RankParams
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import load_encoder
from mmoe.errors import DataError
from mmoe.planning.encoding import plan_encoding
from mmoe.planning.matching import plan_matching
from mmoe.planning.steps import DONE, Places, Step


def encoder_of(file: ParamsFile) -> Encoder:
    """The encoder that params.yaml names, on the device that it names."""
    params = file.section(EncodeParams)
    return load_encoder(params.model, file.section(RuntimeParams).device, params.precision)


def check_ingested(at: Places) -> None:
    """Checks that stage ingest has run.

    Raises:
        DataError: if it has not.
    """
    for path in (at.mentions, at.entities, at.inputs("entity_text")):
        if not path.is_file():
            raise DataError(f"{path}: no such file; run `dvc repro ingest@{at.dataset}` first")


def plan_dataset(at: Places, file: ParamsFile, encoder: Encoder) -> list[Step]:
    """What each stage will take, in the order of the pipeline.

    Raises:
        DataError: if stage ingest has not run, or a table is broken.
        FeatureStoreError: if the encoder does not take such texts.
        ConfigError: if the matcher can't be built on its features.
    """
    check_ingested(at)
    params, runtime = file.section(EncodeParams), file.section(RuntimeParams)
    described = file.section(RankParams).backend != "none"
    encoding = plan_encoding(at, params, runtime, encoder, described)
    matching = plan_matching(at, file, encoder, encoding)
    encoded = all(step.state == DONE for step in encoding.steps)
    trained = encoded and any(step.stage == "train" and step.state == DONE for step in matching)
    return [
        _untimed("retrieve", done=at.candidates.is_file()),
        _untimed("rank", done=at.inputs("mention_text").is_file()),
        _untimed("audit", done=at.leaks.is_file()),
        *encoding.steps,
        _untimed("baselines", done=encoded and at.baselines.is_file()),
        *matching,
        _untimed("rerank", "ranks", done=trained and at.reranked.is_file()),
        _untimed("evaluate", "ranks", done=trained and at.ranks.is_file()),
        _untimed("description_ablation", done=encoded and at.description_ablation.is_file()),
        _untimed("metrics, report", done=trained and at.page.is_file()),
    ]


def _untimed(stage: str, part: str = "", *, done: bool) -> Step:
    return Step(stage, part, seconds=0.0, state=DONE) if done else Step(stage, part)
