"""The sample's knowledge base, made of its Wikidata slice as a user makes one of a dump."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mmoe.files import read_text
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.request import Choice, KbRequest
from mmoe.wikidata.knowledge.write import ENTITIES
from tools.sample.wikidata import INSTANCE_OF, LANGUAGE
from tools.sample.world import World


def knowledge_base(dump: Path, world: World) -> list[dict[str, Any]]:
    """The rows of the world's entities, in its order and without images.

    Args:
        dump: the slice, as `write_slice` writes it.
    """
    qids = frozenset(entity.qid for entity in world.entities)
    # The authored facts say what a thing is; P31 is there for those who choose by kinds.
    request = KbRequest(
        Choice(qids=qids),
        languages=(LANGUAGE,),
        properties=None,
        without_properties=(INSTANCE_OF,),
    )
    with TemporaryDirectory() as folder:
        build_from_dump(str(dump), Path(folder), request)
        lines = read_text(Path(folder) / ENTITIES).split("\n")[:-1]
    return [json.loads(line) for line in lines]
