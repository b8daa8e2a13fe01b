"""The files of a dump spread over a Ray cluster, one task a file; its chunks are those of one machine.

All machines of the cluster must see the dump and the work folder under the same path.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.on_ray import map_on_ray
from mmoe.wikidata.dump import STANDARD_INPUT, Part
from mmoe.wikidata.index.parts import RunOptions, extract_part, extracting
from mmoe.wikidata.selection import Selection


def extract_parts_on_ray(
    parts: list[Part], work: Path, selection: Selection, options: RunOptions
) -> None:
    """Makes the chunks of all parts.

    Raises:
        WikidataError: if Ray is not installed, the dump is standard input, or a part can't be read.
    """
    if parts[0].path == STANDARD_INPUT:
        raise WikidataError("--ray: spreads files, and standard input is none; name a folder")
    task = partial(_extract, work=work.resolve(), selection=selection, options=options)
    map_on_ray(task, parts, "--ray", "leave out --ray", WikidataError)


def _extract(part: Part, work: Path, selection: Selection, options: RunOptions) -> None:
    with extracting(selection, processes=1) as in_order:
        # Ray shows its own progress.
        extract_part(part, work, in_order, options, report=lambda _: None)
