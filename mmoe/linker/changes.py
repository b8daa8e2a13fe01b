"""Adds entities to a knowledge base and takes some out: nothing is trained, and only new ones are encoded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.datasets.convert import Wish, convert
from mmoe.datasets.own import ENDINGS as OWN
from mmoe.datasets.own import entity_table_of, read_entity_table
from mmoe.datasets.sources import find_sources
from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import MaskedImage, encode_images, encode_texts
from mmoe.encoders.registry import base_encoder
from mmoe.errors import DataError, LinkingError
from mmoe.features.shards import shard_name
from mmoe.files import TemporaryFolder, link_or_copy, sha256_of
from mmoe.images import image_file, reading_problem
from mmoe.linker.kb_files import FEATURES, THUMBNAILS, add_aliases, append, parts_in, refer
from mmoe.linker.knowledge import KnowledgeBase, entity_side
from mmoe.linker.thumbnails import write_thumbnails
from mmoe.linker.trained import Trained
from mmoe.linking.index import EntityIndex
from mmoe.linking.sides import BASE, ENTITY_BATCH, KEEP_BASE, FeatureSide
from mmoe.linking.whole_kb import build_index
from mmoe.records import Entity, ImageInput, TextInput, write_records
from mmoe.wikidata.api.settings import ApiSettings
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.from_api import build_from_api
from mmoe.wikidata.knowledge.request import Choice, KbRequest
from mmoe.wikidata.knowledge.write import ITEMS
from mmoe.wikidata.work import json_rows

DUMPS = (".json", ".json.gz", ".json.bz2", ".json.zst")
SHOWN = 3  # qids in a message
QID = re.compile(r"Q[1-9][0-9]*")


@dataclass(frozen=True)
class NewEntities:
    """Entities to add.

    Attributes:
        images: folder that their images are relative to.
        masked: the images that could not be read; known once they were added.
        missing: images that the table names and that are not there.
        aliases: other names by qid, which `items.jsonl` beside the table may hold (`mmoe kb build`).
        home: keeps that folder as long as it is alive, where it is a temporary one.
    """

    entities: tuple[Entity, ...]
    images: Path = Path()
    masked: tuple[MaskedImage, ...] = ()
    missing: tuple[str, ...] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    home: object = None

    def check(self) -> None:
        """Raises LinkingError if an entity stands twice."""
        times = Counter(entity.qid for entity in self.entities)
        if twice := sorted(qid for qid, number in times.items() if number > 1):
            raise LinkingError(
                f"{_some(twice)}: stands twice among the new entities; leave one out"
            )

    @classmethod
    def of(cls, source: NewEntities | Path | str | Iterable[Entity]) -> NewEntities:
        """Reads what `Linker.add_entities` takes.

        Raises:
            DataError: naming file, row and remedy of all that is wrong.
            WikidataError: if a dump can't be read.
        """
        if isinstance(source, NewEntities):
            return source
        if not isinstance(source, (str, Path)):
            return cls(tuple(source))
        path = Path(source)
        if path.is_dir():
            return cls._of_table(entity_table_of(path), path)
        if not path.is_file():
            raise DataError(f"{path}: no such file or folder; name a table of entities")
        if path.suffix in OWN and not _is_dump(path):
            return cls._of_table(path, path.parent)
        home = TemporaryFolder()
        if _is_dump(path):
            build_from_dump(str(path), home.path, KbRequest(Choice()))
            return cls._of_table(home.path / "entities.jsonl", home.path, home)
        done = convert(find_sources([path]), Wish("entities", {}), home.path)
        # Images are bytes in the table, or names of files beside it.
        return cls._of_table(done.file, home.path if done.images else path.parent, home)

    @classmethod
    def _of_table(cls, file: Path, images: Path, home: object = None) -> NewEntities:
        try:
            entities, missing = read_entity_table(file, images)
        except DataError as error:
            hint = "; columns of other names: mmoe convert entities" * ("is missing" in str(error))
            raise DataError(f"{error}{hint}") from None
        if not entities:
            raise DataError(f"{file}: holds no entity")
        return cls(
            tuple(entities),
            images,
            missing=tuple(missing),
            aliases=_aliases_beside(file),
            home=home,
        )

    @classmethod
    def from_wikidata(cls, qids: Iterable[str], settings: ApiSettings | None = None) -> NewEntities:
        """Asks Wikidata's API, which is sent the ids, for items; set MMOE_CONTACT, see docs/wikidata.md.

        Raises:
            WikidataError: if the API does not answer, or has none of them.
        """
        home = TemporaryFolder()
        request = KbRequest(Choice(qids=frozenset(qids)))
        build_from_api(home.path, request, settings or ApiSettings())
        return cls._of_table(home.path / "entities.jsonl", home.path, home)


def _aliases_beside(table: Path) -> dict[str, list[str]]:
    items = table.with_name(ITEMS)
    if not items.is_file():
        return {}
    return {str(row.get("qid")): list(row.get("aliases") or ()) for _, _, row in json_rows(items)}


def _is_dump(path: Path) -> bool:
    """By its name, or as only a dump begins with a bracket of its own or with an item."""
    if path.name.endswith(DUMPS):
        return True
    with path.open("rb") as stream:
        start = stream.read(64).lstrip()
    return start.rstrip(b"\r\n") == b"[" or start.startswith((b"[\n", b"[\r\n", b'{"type":"item"'))


def changed(
    trained: Trained, kb: KnowledgeBase, new: NewEntities, removed: Sequence[str]
) -> tuple[KnowledgeBase, tuple[MaskedImage, ...]]:
    """Another knowledge base, in a temporary folder, of the entities that stay and the new ones behind them.

    Returns:
        It, and the images of new ones that can't be read.
    Raises:
        LinkingError: if a new one is there already, one that is to go is not, or none is left.
    """
    _check(kb, new, removed)
    gone = set(removed)
    kept = [i for i, entity in enumerate(kb.entities) if entity.qid not in gone]
    entities = [*(kb.entities[i] for i in kept), *new.entities]
    home = TemporaryFolder()
    folder = home.path
    files = kb.files.copy_to(folder, entities, refer)
    masked: tuple[MaskedImage, ...] = ()
    if new.entities:
        config = trained.checkpoint.feature_config
        masked = encode_new(config, trained.encoder.encoder, new, folder)
    config = trained.checkpoint.feature_config
    features = FeatureSide.of_entities(folder, entities, config)
    index = _index(trained, kb.index, kept, features, folder / "index")
    side = entity_side(trained.reranker, entities, folder, config)
    return KnowledgeBase(entities, index, side, files, (home, kb.home)), masked


def _check(kb: KnowledgeBase, new: NewEntities, removed: Sequence[str]) -> None:
    qids = [entity.qid for entity in new.entities]
    new.check()
    there = [qid for qid in qids if qid in kb.position]
    if there:
        raise LinkingError(f"{_some(there)}: in the knowledge base already; remove it first")
    lost = [qid for qid in removed if qid not in kb.position]
    if lost:
        hint = "" if QID.fullmatch(lost[0]) else " (an id is a Q and a number)"
        raise LinkingError(f"{_some(lost)}: not in the knowledge base; leave it out{hint}")
    if not qids and len(set(removed)) == len(kb.entities):
        raise LinkingError("no entity would be left; add others first")


def _some(qids: Sequence[str]) -> str:
    more = f" and {len(qids) - SHOWN} more" if len(qids) > SHOWN else ""
    return ", ".join(qids[:SHOWN]) + more


def encode_new(
    config: Mapping[str, Any], encoder: Encoder, new: NewEntities, folder: Path
) -> tuple[MaskedImage, ...]:
    """Features and pictures of new entities, behind the shards of others in a folder of a knowledge base.

    Args:
        config: with what features are made.
    """
    known = {key: config[key] for key in EncodeParams.model_fields if key in config}
    params, runtime = EncodeParams(model=config["encoder"], **known), RuntimeParams()
    with TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        texts, images = work / "texts.parquet", work / "images.parquet"
        rows = [TextInput(e.qid, e.name, e.attributes, None) for e in new.entities]
        write_records(texts, TextInput, rows)
        write_records(images, ImageInput, [_image(e, new.images) for e in new.entities])
        encoders = {work: encoder}
        if config.get(KEEP_BASE):
            encoders[work / BASE] = base_encoder(encoder)
        for out, each in encoders.items():
            common = out / "kept", params, runtime, each
            encode_texts(texts, out / FEATURES[0], *common, around_name=False)
            summary = encode_images(
                images, out / FEATURES[1], *common, new.images, of_mentions=False
            )
        for part in parts_in(work):
            append(folder / part, (work / part).glob("shard-*.parquet"), link_or_copy)
        add_aliases(
            folder, {entity.qid: new.aliases.get(entity.qid, ()) for entity in new.entities}
        )
        pictures = work / shard_name(0)
        write_thumbnails(pictures, new.entities, new.images)
        append(folder / THUMBNAILS, [pictures], link_or_copy)
    return summary.masked


def _image(entity: Entity, root: Path) -> ImageInput:
    """The entity's first image.

    Raises:
        DataError: if there is no such file.
    """
    if not entity.images:
        return ImageInput(entity.qid, None, None)
    name = entity.images[0]
    try:
        return ImageInput(entity.qid, name, sha256_of(image_file(root, name)))
    except OSError as error:
        reason = reading_problem(root, error)
        raise DataError(f"{root / name}, of {entity.qid}: {reason}; leave it out") from None


@torch.inference_mode()
def _index(
    trained: Trained, old: EntityIndex, kept: Sequence[int], features: FeatureSide, folder: Path
) -> EntityIndex:
    """What the matcher makes of the entities; those that stay are as they were, where that may be."""
    matcher, device = trained.checkpoint.matcher, trained.device
    if matcher.encoding_batch is not None or device.type != "cpu":
        return build_index(matcher, features, device, folder=folder, made_of="changed")
    new = torch.arange(len(kept), len(features))
    batches = features.batches(new, ENTITY_BATCH, device) if len(new) else ()
    return old.revised(torch.tensor(kept, dtype=torch.int64), batches, folder, "changed")
