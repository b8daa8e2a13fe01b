"""The files of a dump spread over a Ray cluster, one task a file; its chunks are those of one machine.

All machines of the cluster must see the dump and the work folder under the same path.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from mmoe.errors import WikidataError
from mmoe.wikidata.dump import STANDARD_INPUT, Part
from mmoe.wikidata.index.parts import RunOptions, extract_part, extracting
from mmoe.wikidata.selection import Selection


def extract_parts_on_ray(
    parts: list[Part], work: Path, selection: Selection, options: RunOptions
) -> None:
    """Makes the chunks of all parts with Ray Data.

    The cluster is that of ray.init(): the running one that RAY_ADDRESS names, else this machine.

    Raises:
        WikidataError: if Ray is not installed, the dump is standard input, or a part can't be read.
    """
    if parts[0].path == STANDARD_INPUT:
        raise WikidataError("--ray: spreads files, and standard input is none; name a folder")
    try:
        # Ray is an extra that few need, and it takes seconds to import.
        import ray.data  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise WikidataError(
            "--ray: Ray Data is not installed; pip install 'ray[data]', or leave out --ray"
        ) from None
    task = partial(
        _extract_row, parts=parts, work=work.resolve(), selection=selection, options=options
    )
    numbers = [{"part": part.number} for part in parts]
    dataset = ray.data.from_items(numbers, override_num_blocks=len(parts)).map(task)
    for row in sorted(dataset.take_all(), key=lambda row: int(row["part"])):
        if row["error"]:
            raise WikidataError(row["error"])


def _extract_row(
    row: dict[str, Any], parts: list[Part], work: Path, selection: Selection, options: RunOptions
) -> dict[str, Any]:
    """A task: an expected failure is a value, as Ray wraps exceptions in its own."""
    try:
        with extracting(selection, processes=1) as in_order:
            # Ray shows its own progress.
            extract_part(parts[row["part"]], work, in_order, options, report=lambda _: None)
    except WikidataError as error:
        return row | {"error": str(error)}
    return row | {"error": ""}
