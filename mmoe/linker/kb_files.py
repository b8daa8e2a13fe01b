"""The files of a knowledge base in a bundle, and how they are made of a run's, or of another bundle's.

entities.parquet          the entities, in the order of all positions
entity_text, entity_image features; rows of entities that are no longer there may stand in them
thumbnails                small pictures, in parts; a later part stands before an earlier one
aliases.parquet           other names, where a label index knew them
index                     what the matcher makes of the entities
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from mmoe.features.shards import shard_name
from mmoe.files import atomic_write
from mmoe.linker.thumbnails import copy_thumbnails, write_thumbnails
from mmoe.records import Entity, write_records
from mmoe.wikidata.label_index import ITEMS

ENTITIES, THUMBNAILS, ALIASES, INDEX = "entities.parquet", "thumbnails", "aliases.parquet", "index"
FEATURES = ("entity_text", "entity_image")
ALIAS_SCHEMA = pa.schema([("qid", pa.string()), ("alias", pa.string())])

Place = Callable[[Path, Path], None]  # a file under a second name


@dataclass(frozen=True)
class KbFiles:
    """Where the parts of a knowledge base lie.

    Attributes:
        entities: file of the records.
        features: folder of their features.
        thumbnails: folder; None where they are yet to be made of `images`, the folder that the entities'
            images are relative to.
        aliases: file; None where they are yet to be taken from `labels`, a label index, if there is one.
    """

    entities: Path
    features: Path
    thumbnails: Path | None = None
    aliases: Path | None = None
    images: Path | None = None
    labels: Path | None = None

    @classmethod
    def of(cls, folder: Path) -> KbFiles:
        """Those that `copy_to` wrote."""
        return cls(folder / ENTITIES, folder, folder / THUMBNAILS, folder / ALIASES)

    def copy_to(self, folder: Path, entities: Sequence[Entity], place: Place) -> KbFiles:
        """Writes all but the index into an empty folder.

        Args:
            entities: those that are in the knowledge base from now on.
        """
        write_records(folder / ENTITIES, Entity, entities)
        for part in FEATURES:
            (folder / part).mkdir()
            append(folder / part, (self.features / part).glob("shard-*.parquet"), place)
        (folder / THUMBNAILS).mkdir()
        qids = {entity.qid for entity in entities}
        if self.thumbnails is not None:

            def place_some(source: Path, target: Path) -> None:
                if not copy_thumbnails(source, target, qids):
                    place(source, target)

            append(folder / THUMBNAILS, self.thumbnails.glob("shard-*.parquet"), place_some)
        elif self.images is not None:
            write_thumbnails(folder / THUMBNAILS / shard_name(0), entities, self.images)
        if self.aliases is not None:
            known = pq.read_table(self.aliases)
            rows = [row for row in known.to_pylist() if row["qid"] in qids]
            pq.write_table(pa.Table.from_pylist(rows, ALIAS_SCHEMA), folder / ALIASES)
        else:
            _write_aliases(folder / ALIASES, entities, self.labels)
        return KbFiles.of(folder)

    def read_aliases(self) -> Mapping[str, Sequence[str]]:
        """Other names by qid."""
        found: dict[str, list[str]] = {}
        if self.aliases is not None:
            for row in pq.read_table(self.aliases).to_pylist():
                found.setdefault(row["qid"], []).append(row["alias"])
        return found


def add_aliases(folder: Path, aliases: Mapping[str, Sequence[str]]) -> None:
    """Adds names by qid to those in the folder of a knowledge base."""
    rows = pq.read_table(folder / ALIASES).to_pylist()
    rows += [{"qid": qid, "alias": name} for qid, names in aliases.items() for name in names]
    pq.write_table(pa.Table.from_pylist(rows, ALIAS_SCHEMA), folder / ALIASES)


def append(folder: Path, files: Iterable[Path], place: Place) -> None:
    """Puts files behind those that are in a folder of numbered ones."""
    number = len(list(folder.iterdir()))
    for file in sorted(files):
        place(file, folder / shard_name(number))
        number += 1


def link_or_copy(source: Path, target: Path) -> None:
    """A second name of a file, which takes no space; a copy where the disk has no such names."""
    real = source.resolve()
    try:
        os.link(real, target)
    except OSError:
        shutil.copyfile(real, target)


def refer(source: Path, target: Path) -> None:
    """A symbolic link: for folders that go before the file does."""
    target.symlink_to(source.resolve())


def _write_aliases(path: Path, entities: Sequence[Entity], labels: Path | None) -> None:
    rows: list[dict[str, str]] = []
    if labels is not None:
        items = pa.dataset.dataset(labels / ITEMS)
        wanted = pa.dataset.field("qid").isin([entity.qid for entity in entities])
        known = {e.qid: e.name for e in entities}
        for item in items.to_table(["qid", "label", "aliases"], filter=wanted).to_pylist():
            names = dict.fromkeys([item["label"] or "", *item["aliases"]])
            own = ("", known[item["qid"]])
            rows += [{"qid": item["qid"], "alias": name} for name in names if name not in own]
    with atomic_write(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, ALIAS_SCHEMA), temporary, compression="zstd")
