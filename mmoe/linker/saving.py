"""Writes bundles: whole ones, and another knowledge base into one that is there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pandas as pd
import torch

from mmoe.encoders.tuned import BASE, base_folder
from mmoe.errors import BundleError
from mmoe.files import atomic_folder, link_or_copy, read_sealed_json, write_json, write_text
from mmoe.linker.bundle import (
    CARD,
    CONFIG,
    ENCODER,
    KB,
    LABELS,
    MANIFEST,
    MATCHER,
    WORDS,
    Manifest,
    read_manifest,
    write_manifest,
)
from mmoe.linker.card import model_card
from mmoe.linker.examples import FOLDER as EXAMPLE_IMAGES
from mmoe.linker.examples import TABLE as EXAMPLES
from mmoe.linker.examples import write_examples
from mmoe.linker.kb_files import ENTITIES, INDEX
from mmoe.linker.knowledge import KnowledgeBase
from mmoe.linker.queries import Query
from mmoe.linker.thumbnails import Thumbnails
from mmoe.linker.trained import Trained
from mmoe.linking.sides import KEEP_BASE, FeatureSide
from mmoe.linking.whole_kb import index_code, index_key
from mmoe.locks import exclusive_lock, lock_holder, remove_unused
from mmoe.reranking.files import FILES as RERANKER
from mmoe.reranking.files import WEIGHTS

CHANGING = ".changing"  # the lock of whoever changes a bundle
OWN_NAMES = {
    *(MANIFEST, CARD, CONFIG, MATCHER, WORDS, LABELS, ENCODER, EXAMPLES, EXAMPLE_IMAGES),
    *RERANKER,
}
# Of an encoder's folder: all that loads it, and no weights in other formats.
ENCODER_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*/config.json")


def save_bundle(
    folder: Path,
    trained: Trained,
    kb: KnowledgeBase,
    metrics: pd.DataFrame | None,
    licence: str | None,
    examples: Sequence[Query],
) -> Manifest:
    """Writes a whole bundle; see `Linker.save`."""
    check_target(folder)
    config = trained.checkpoint.feature_config
    with changing(folder), atomic_folder(folder) as new:
        shutil.copyfile(trained.weights, new / MATCHER)
        for name in RERANKER:
            shutil.copyfile(trained.learned / name, new / name)
        describing = trained.describing
        if (words := describing.statistics) is not None:
            counts = dict(sorted(words.num_with.items()))
            write_json(new / WORDS, vars(words) | {"num_with": counts})
        if describing.labels is not None:
            _copy(describing.labels, new / LABELS, ["**/*"])
        if trained.encoder_folder is not None:  # others can be got by their names
            _copy(trained.encoder_folder, new / ENCODER, ENCODER_FILES)
            base = base_folder(trained.encoder_folder, read=bool(config.get(KEEP_BASE)))
            if base is not None:
                _copy(base, new / ENCODER / BASE, ENCODER_FILES)
        manifest = _write_kb(new, f"{KB}0", trained, kb)
        calibrated = read_sealed_json(new / WEIGHTS).get("calibrated")
        pictures = Thumbnails(new / manifest.kb / "thumbnails").licences()
        card = model_card(trained, kb, calibrated, pictures, metrics, licence)
        write_text(new / CARD, card)
        spec = trained.checkpoint.matcher.spec
        about = {
            "library_name": "mmoe",
            "model_type": spec.model.name,
            "trained": trained.is_trained,
            "model": spec.model.model_dump(mode="json"),
            "own": spec.own.model_dump(mode="json"),
            "features": trained.checkpoint.feature_config,
        }
        write_json(new / CONFIG, about)
        write_examples(new, examples)
        return write_manifest(new, manifest)


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Changes of one bundle come one after the other, each upon what the one before it has made."""

    def say_busy() -> None:
        holder = lock_holder(folder, CHANGING)
        print(f"{folder}: {holder} changes it; waiting", file=sys.stderr)

    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise BundleError(f"{folder}: can't be written to; copy the bundle to a folder of your own")
    with exclusive_lock(folder, CHANGING, say_busy) if folder.is_dir() else nullcontext():
        yield


def save_changes(
    trained: Trained, kb: KnowledgeBase, bundle: tuple[Path, Manifest] | None
) -> tuple[Path, Manifest]:
    """Puts a knowledge base into the bundle that was opened; see `Linker.save`."""
    if bundle is None:
        raise BundleError("save: this Linker was opened from a run; name a folder for its bundle")
    folder, opened = bundle
    with exclusive_lock(folder, ".lock"):
        now = read_manifest(folder)
        if now != opened:
            raise BundleError(
                f"{folder}: another process has changed it since it was opened here; open it again and "
                "repeat the change"
            )
        target = folder / now.next_kb
        shutil.rmtree(target, ignore_errors=True)  # of a run that was killed
        manifest = _write_kb(folder, now.next_kb, trained, kb)
        manifest = write_manifest(folder, manifest, unchanged=now)
    return folder, manifest


def remove_old(folder: Path, manifest: Manifest) -> None:
    """Removes the knowledge bases that a bundle had before, unless somebody still reads them."""
    for other in folder.glob(f"{KB}*"):
        if other.name != manifest.kb:
            remove_unused(other, other / ENTITIES)


def _write_kb(folder: Path, name: str, trained: Trained, kb: KnowledgeBase) -> Manifest:
    target = folder / name
    target.mkdir()
    files = kb.files.copy_to(target, kb.entities, link_or_copy)
    config = trained.checkpoint.feature_config
    features = FeatureSide.of_entities(files.features, kb.entities, config)
    made_of = index_key(trained.weights, files.entities, features)
    kb.index.rearranged(torch.arange(len(kb.index)), target / INDEX, made_of)
    settings = trained.describing.settings
    return Manifest(trained.name, name, index_code(), made_of, settings)


def _copy(source: Path, target: Path, patterns: Sequence[str]) -> None:
    """Copies files of a folder; they get no second name, as others may write into the folder."""
    for pattern in patterns:
        for file in source.glob(pattern):
            if file.is_file() and not file.name.startswith("."):
                place = target / file.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)


def check_target(folder: Path) -> None:
    """Raises BundleError if a folder holds something else than a bundle, which would be lost."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise BundleError(f"{folder}: {there} is a file; name another folder")
    if not os.access(there, os.W_OK):
        raise BundleError(f"{folder}: {there} can't be written to; name a folder of your own")
    if not folder.exists():
        return
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    names = {name for name in found if not name.startswith(CHANGING)}  # what a killed run leaves
    if not names:
        return
    strange = {name for name in names - OWN_NAMES if not name.startswith((KB, "."))}
    try:
        read_manifest(folder, files=False)
    except BundleError:
        strange = names
    if strange or ".git" in names:
        raise BundleError(
            f"{folder}: holds something else than a bundle ({min(strange or names)}); name a new folder"
        )
