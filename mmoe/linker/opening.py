"""Opens what a Linker is made of: from the files of a run, or from a bundle."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmoe.bm25 import TextStatistics
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import base_encoder, load_encoder
from mmoe.errors import BundleError, CheckpointError, LinkingError, one_line
from mmoe.files import read_json
from mmoe.linker.bundle import ENCODER, LABELS, MAKE, MATCHER, WORDS, Manifest, read_manifest
from mmoe.linker.describing import Describing
from mmoe.linker.engine import Engine
from mmoe.linker.kb_files import ENTITIES, INDEX, KbFiles
from mmoe.linker.knowledge import KnowledgeBase, entity_side, read_entities
from mmoe.linker.queries import QueryEncoder
from mmoe.linker.trained import Trained
from mmoe.linking.approximate import ApproximateSearch, is_search_of
from mmoe.linking.checkpoint import Checkpoint, checkpoint_file, load_checkpoint
from mmoe.linking.device import resolve_device
from mmoe.linking.index import EntityIndex
from mmoe.linking.sides import KEEP_BASE, MENTION_BATCH, FeatureSide
from mmoe.linking.whole_kb import build_index, index_code, index_key
from mmoe.locks import InUse, exclusive_lock
from mmoe.model.matcher import Matcher
from mmoe.records import Entity, Mention, read_records
from mmoe.reranking.files import load_reranker

LEARNED_FROM = 4096  # mentions


@dataclass(frozen=True)
class Opening:
    """How a Linker is opened; see `Linker.from_run`."""

    encoder: str | None = None
    device: str = "auto"
    rerank: bool = True
    exact: bool = True


def open_run(
    model: Path,
    kb: Path,
    features: Path | None,
    how: Opening,
    index: Path | None,
    *,
    approximate: bool,
) -> tuple[Trained, Engine]:
    """Opens a run; see `Linker.from_run`."""
    if approximate and (how.rerank or index is None):
        raise LinkingError(
            "approximate=True: needs rerank=False, and index=…, a folder for its files"
        )
    place = kb.resolve()
    describing = Describing.of_run(place)
    trained = _open_trained(place.name, checkpoint_file(model), model, how, describing)
    files = KbFiles(
        entities=place / "entities.parquet",
        features=(features or place.parents[1] / "features" / place.name).resolve(),
        images=place.parents[1] / "raw" / place.name,
        labels=trained.describing.labels,
    )
    entities, config = read_entities(files.entities), trained.checkpoint.feature_config
    sources = IndexSources(trained.weights, place, files.features, config)
    matcher, device = trained.checkpoint.matcher, trained.device
    built, search = sources.opened(matcher, entities, device, index, approximate=approximate)
    side = entity_side(trained.reranker, entities, files.features, config)
    engine = trained.over(KnowledgeBase(entities, built, side, files), search)
    if engine.lacks_candidates:
        raise LinkingError(
            f"{kb}: {model} reranks with what is retrieved for a mention, and nothing was retrieved "
            "here; run stages retrieve and rank for it, or link with rerank=False"
        )
    return trained, engine


def open_bundle(folder: Path, how: Opening, *, check: bool) -> tuple[Trained, Engine, Manifest]:
    """Opens a bundle; see `Linker.from_pretrained`."""
    manifest, in_use = _current(folder, check=check)
    words, inside = folder / WORDS, folder / ENCODER
    try:
        statistics = TextStatistics(**read_json(words)) if words.is_file() else None
        describing = Describing.of_settings(manifest.settings, folder / LABELS, statistics)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{folder}: settings that can't be read ({one_line(error)}); {MAKE}"
        ) from None
    if how.encoder is None and inside.is_dir():
        how = replace(how, encoder=str(inside))
    trained = _open_trained(manifest.name, folder / MATCHER, folder, how, describing)
    engine = trained.over(open_kb(trained, folder / manifest.kb, manifest, in_use))
    if engine.lacks_candidates:
        raise BundleError(
            f"{folder}: reranks with candidates, and says not where they come from; {MAKE}"
        )
    return trained, engine, manifest


def _current(folder: Path, *, check: bool) -> tuple[Manifest, InUse]:
    """What a bundle says of itself, and a hold on its knowledge base of now."""
    while True:
        kb = read_manifest(folder, files=False).kb
        try:
            in_use = InUse(folder / kb / ENTITIES)
            manifest = read_manifest(folder, check=check)
        except (BundleError, OSError):
            # Another may have come, and this one gone, between the two looks.
            if read_manifest(folder, files=False).kb == kb:
                read_manifest(folder)  # says which file is missing
                raise
            continue
        if manifest.kb == kb:
            return manifest, in_use


def open_kb(
    trained: Trained, folder: Path, manifest: Manifest, in_use: InUse | None = None
) -> KnowledgeBase:
    """Opens a knowledge base of a bundle; its index is built in memory if other code made the one there.

    Args:
        in_use: a hold on it; None takes one.
    """
    files, matcher = KbFiles.of(folder), trained.checkpoint.matcher
    entities, config = read_entities(files.entities), trained.checkpoint.feature_config
    if trained.device.type == "cpu" and manifest.code == index_code():
        index = EntityIndex.open(folder / INDEX, manifest.index, matcher)
    else:
        features = FeatureSide.of_entities(files.features, entities, config)
        index = build_index(matcher, features, trained.device)
    side = entity_side(trained.reranker, entities, files.features, config)
    return KnowledgeBase(entities, index, side, files, in_use or InUse(files.entities))


def _open_trained(
    name: str, weights: Path, learned: Path, how: Opening, describing: Describing
) -> Trained:
    checkpoint = load_checkpoint(weights)
    device = resolve_device(how.device)
    encoder = load_encoder_of(checkpoint, str(weights), how.encoder, how.device)
    config = checkpoint.feature_config
    encoder_folder = Path(how.encoder or config.get("tuned") or config["encoder"]).resolve()
    checkpoint.matcher.to(device)
    return Trained(
        name=name,
        checkpoint=checkpoint,
        weights=weights.resolve(),
        learned=learned.resolve(),
        encoder=QueryEncoder(encoder, checkpoint.feature_config, exact=how.exact),
        encoder_folder=encoder_folder if encoder_folder.is_dir() else None,
        device=device,
        reranker=load_reranker(learned) if how.rerank else None,
        describing=describing,
    )


@dataclass(frozen=True)
class IndexSources:
    """What an index of a knowledge base is made of.

    Attributes:
        weights: file of the trained matcher.
        kb: folder with the records; `features`, with their features; `config`, what made those.
    """

    weights: Path
    kb: Path
    features: Path
    config: dict[str, Any]

    def opened(
        self,
        matcher: Matcher,
        entities: Sequence[Entity],
        device: torch.device,
        folder: Path | None,
        *,
        approximate: bool,
    ) -> tuple[EntityIndex, ApproximateSearch | None]:
        """The index and, if it is to be approximate, its search; built where none lies in the folder.

        Args:
            matcher: on the device.
            folder: None holds the index in memory.
        """
        side = FeatureSide.of_entities(self.features, entities, self.config)
        if folder is None:
            return build_index(matcher, side, device), None
        made_of = index_key(self.weights, self.kb / "entities.parquet", side)
        busy = partial(print, f"{folder}: another process builds it; waiting", file=sys.stderr)
        with exclusive_lock(folder, when_busy=busy):
            index = build_index(matcher, side, device, folder=folder / "entities", made_of=made_of)
            search = self._search(folder / "search", made_of, index) if approximate else None
        return index, search

    def _search(self, folder: Path, made_of: str, index: EntityIndex) -> ApproximateSearch:
        if is_search_of(folder, made_of):
            return ApproximateSearch.open(folder, made_of, index)
        train = [
            m for m in read_records(self.kb / "mentions.parquet", Mention) if m.split == "train"
        ]
        some = [train[i] for i in np.random.default_rng(0).permutation(len(train))[:LEARNED_FROM]]
        if not some:
            raise LinkingError(
                f"{self.kb}/mentions.parquet: approximate=True learns from training mentions, and there "
                "is none"
            )
        side = FeatureSide.of_mentions(self.features, some, self.config)
        batches = side.batches(side.everything, MENTION_BATCH, index.device)
        return ApproximateSearch.build_in(folder, made_of, index, batches)


def load_encoder_of(
    checkpoint: Checkpoint, named: str, encoder: str | None, device: str
) -> Encoder:
    """The encoder on whose features a matcher was trained.

    Args:
        named: the matcher, for messages.
        encoder: where it lies; None for where it lay in training.
    Raises:
        CheckpointError: if what lies there is another one.
    """
    config = checkpoint.feature_config
    name = encoder or config.get("tuned") or config["encoder"]
    loaded = load_encoder(name, device, config["precision"], "encoder")
    if loaded.fingerprint != config["fingerprint"]:
        raise CheckpointError(
            f"{named}: trained on features of another encoder than {loaded.name} (fingerprint "
            f"{config['fingerprint']}, found {loaded.fingerprint}); name the right one with encoder=…"
        )
    if config.get(KEEP_BASE):
        base_encoder(loaded).name = config["encoder"]  # while the tuned one's folder is known
    # The same one, wherever it lies.
    loaded.name, loaded.tuned = config["encoder"], config.get("tuned")
    return loaded
