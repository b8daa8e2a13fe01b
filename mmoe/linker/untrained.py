"""A Linker without training: an encoder and a table of entities, and the sum of frozen similarities."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import torch

from mmoe.baselines.run import FeatureParts
from mmoe.config.encode import EncodeParams
from mmoe.config.matchers import matcher_section
from mmoe.config.model import ModelParams
from mmoe.config.rerank import RerankParams
from mmoe.encoders.encode import MaskedImage
from mmoe.encoders.registry import load_encoder
from mmoe.errors import LinkingError
from mmoe.files import TemporaryFolder
from mmoe.linker.bundle import MATCHER
from mmoe.linker.changes import NewEntities, encode_new
from mmoe.linker.describing import Describing
from mmoe.linker.kb_files import KbFiles, refer
from mmoe.linker.knowledge import KnowledgeBase
from mmoe.linker.queries import Query, QueryEncoder
from mmoe.linker.trained import Trained
from mmoe.linking.checkpoint import Checkpoint, save_checkpoint
from mmoe.linking.device import resolve_device
from mmoe.linking.sides import FeatureSide
from mmoe.linking.whole_kb import build_index
from mmoe.model.matcher import Matcher, MatcherSpec
from mmoe.model.registry import build_matcher
from mmoe.reranking.families import entity_side_vectors
from mmoe.reranking.files import save_reranker
from mmoe.reranking.prior import prior_reranker
from mmoe.reranking.reranker import SIMILARITIES
from mmoe.reranking.space import EntitySide, fit_space

SOME = 256  # entities on which what a missing image counts is measured


def untrained(
    new: NewEntities, encoder: str, device: str, name: str
) -> tuple[Trained, KnowledgeBase, tuple[MaskedImage, ...]]:
    """All that links to some entities, without a mention to learn from.

    The matcher is as it is before training: the cosines of the encoder. Shortlists are put in order by
    `prior_reranker`. Nothing is retrieved, and there are no probabilities.

    Args:
        encoder: see `encode.model` in params.yaml.
        name: of the data.
    Returns:
        Also the images that could not be read.
    Raises:
        LinkingError: if there is no entity, or one stands twice.
    """
    if not new.entities:
        raise LinkingError(
            "there is no entity, so there is nothing to link to; name a table with some"
        )
    new.check()
    loaded, where, home = (
        load_encoder(encoder, device, knob="encoder"),
        resolve_device(device),
        TemporaryFolder(),
    )
    folder, entities = home.path, list(new.entities)
    files = KbFiles(folder / "none", folder / "none").copy_to(folder, entities, refer)
    encode = EncodeParams(model=encoder)
    masked = encode_new(encode.feature_config, loaded, new, folder)
    side = FeatureSide.of_entities(folder, entities, encode.feature_config)
    matcher = _matcher(side, where)
    config = side.feature_config
    versions = {package: version(package) for package in ("mmoe", "torch")}
    checkpoint = Checkpoint(matcher, config, {}, versions)
    save_checkpoint(folder / MATCHER, checkpoint)
    queries = QueryEncoder(loaded, config, exact=False)
    vectors, tokens = entity_side_vectors(FeatureParts(folder, config), entities)
    space = fit_space(entities, vectors, tokens, vectors, None)
    example = queries.encode([Query(entities[0].name, "")], [None])
    some = example.for_reranker(matcher.spec.widths, None)
    seen = EntitySide(space, entities, vectors, tokens)
    reranker = prior_reranker(seen, some, RerankParams().depth)
    weights = {SIMILARITIES: reranker.frozen.to_json()}
    save_reranker(folder, reranker, {"recall": 0.0, "valid_mrr": {}, "weights": weights})
    encoder_folder = Path(encoder).resolve()
    trained = Trained(
        name=name,
        checkpoint=checkpoint,
        weights=folder / MATCHER,
        learned=folder,
        encoder=queries,
        encoder_folder=encoder_folder if encoder_folder.is_dir() else None,
        device=where,
        reranker=reranker,
        describing=Describing.nothing(),
    )
    kb = KnowledgeBase(entities, build_index(matcher, side, where), seen, files, home)
    return trained, kb, masked


def _matcher(side: FeatureSide, device: torch.device) -> Matcher:
    """MMoE as it is before training, on the units that the features allow."""
    name = "mmoe"
    units = ("text",) if side.images is None else ("text", "vision", "cross")
    params = ModelParams.model_validate({"name": name, "units": units})
    spec = MatcherSpec(side.widths, params, matcher_section(name)())
    matcher = build_matcher(spec, seed=0).to(device).eval()
    some = side.everything[:SOME]
    features = side.gather(some, device)
    with torch.inference_mode():
        matcher.calibrate(features, side.gather(some.flip(0), device))
    return matcher
