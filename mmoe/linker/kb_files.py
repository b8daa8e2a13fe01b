"""The files of a knowledge base in a bundle, and how they are made of a run's, or of another bundle's.

entities.parquet          the entities, in the order of all positions
entity_text, entity_image features; rows of entities that are no longer there may stand in them
base                      those of the untuned encoder, for a matcher that reads both
thumbnails                small pictures, in parts
aliases.parquet           other names, where a label index or the entities' source knew them
index                     what the matcher makes of the entities
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset

from mmoe.features.shards import shard_name
from mmoe.linker.thumbnails import copy_thumbnails, write_thumbnails
from mmoe.linking.sides import BASE
from mmoe.records import Entity, read_pipeline_table, write_records
from mmoe.sealed_parquet import write_sealed
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
        aliases: file; None where there is none.
        labels: a label index that the aliases are yet to be taken from; None for those in the file.
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
        for part in parts_in(self.features):
            (folder / part).mkdir(parents=True)
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
        known = self.read_aliases() if self.labels is None else _aliases_in(self.labels, entities)
        _write_aliases(folder / ALIASES, {qid: known[qid] for qid in known if qid in qids})
        return KbFiles.of(folder)

    def read_aliases(self) -> Mapping[str, Sequence[str]]:
        """Other names by qid."""
        found: dict[str, list[str]] = {}
        if self.aliases is not None:
            for row in read_pipeline_table(self.aliases).to_pylist():
                found.setdefault(row["qid"], []).append(row["alias"])
        return found


def parts_in(features: Path) -> list[str]:
    """The parts of entities' features in a folder: of one encoder, or of two."""
    base = tuple(f"{BASE}/{part}" for part in FEATURES)
    return [*FEATURES, *(part for part in base if (features / part).is_dir())]


def add_aliases(folder: Path, aliases: Mapping[str, Sequence[str]]) -> None:
    """Adds names by qid to those in the folder of a knowledge base."""
    _write_aliases(folder / ALIASES, {**KbFiles.of(folder).read_aliases(), **aliases})


def append(folder: Path, files: Iterable[Path], place: Place) -> None:
    """Puts files behind those that are in a folder of numbered ones."""
    number = len(list(folder.iterdir()))
    for file in sorted(files):
        place(file, folder / shard_name(number))
        number += 1


def refer(source: Path, target: Path) -> None:
    """A symbolic link: for folders that go before the file does."""
    target.symlink_to(source.resolve())


def _aliases_in(labels: Path, entities: Sequence[Entity]) -> dict[str, list[str]]:
    """What a label index calls some entities beside their own names, by qid."""
    items = pa.dataset.dataset(labels / ITEMS)
    own = {entity.qid: entity.name for entity in entities}
    wanted = pa.dataset.field("qid").isin(list(own))
    found = {}
    for item in items.to_table(["qid", "label", "aliases"], filter=wanted).to_pylist():
        names = dict.fromkeys([item["label"] or "", *item["aliases"]])
        found[item["qid"]] = [name for name in names if name not in ("", own[item["qid"]])]
    return found


def _write_aliases(path: Path, aliases: Mapping[str, Sequence[str]]) -> None:
    rows = [{"qid": qid, "alias": name} for qid, names in aliases.items() for name in names]
    write_sealed(path, pa.Table.from_pylist(rows, ALIAS_SCHEMA))
