"""`mmoe plan`: what the stages of the pipeline will take of disk and time, before they run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# What encodes and matches is imported where it is used: `mmoe --help` answers at once.
if TYPE_CHECKING:
    from mmoe.planning.steps import Step

NOT_ESTIMATED = "not estimated"
HEAD = ("Stage", "Part", "Rows", "Disk", "Time")
REMEDIES = (
    "set encode.dtype: int8 for half the features, take fewer texts by data.max_mentions, "
    "or move the project to another disk"
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("plan")(plan)


def plan(
    dataset: Annotated[
        str | None, typer.Argument(help="A data set; without one, each of params.yaml's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as one JSON object.")] = False,
) -> None:
    """Say what the pipeline will take.

    For each stage rows, disk and time, once stage ingest has run; and whether the disk suffices. Rows are
    counted. Bytes follow from the lengths of some texts of each part in the encoder's tokens, and from what
    the matcher makes of an entity. Speed is measured now, on some texts and images of the data set and on
    random features. Exit code: 0 if it fits on the disk, 1 if not.
    """
    from mmoe.config.check import check_params, dataset_names
    from mmoe.config.load import ParamsFile
    from mmoe.planning.disk import bytes_needed, feature_copies
    from mmoe.planning.plan import check_ingested, encoder_of, plan_dataset
    from mmoe.planning.steps import Places

    file = ParamsFile()
    check_params(file)
    places = [Places(name) for name in ([dataset] if dataset else dataset_names(file))]
    for at in places:  # before an encoder is loaded, which takes seconds
        check_ingested(at)
    encoder = encoder_of(file)
    plans = {at.dataset: plan_dataset(at, file, encoder) for at in places}
    copies, free = feature_copies(Path()), shutil.disk_usage(".").free
    needed = bytes_needed(list(plans.values()), copies)
    if as_json:
        print(_as_json(plans, copies, needed, free))
    else:
        for name, steps in plans.items():
            print(f"{name}\n{_table(steps)}\n")
        print(_total(plans, copies, needed, free))
    if needed > free:
        raise typer.Exit(1)


def _as_json(plans: Mapping[str, Sequence[Step]], copies: int, needed: int, free: int) -> str:
    content = {
        "datasets": {name: [asdict(step) for step in steps] for name, steps in plans.items()},
        "feature_copies": copies,
        "needed_bytes": needed,
        "free_bytes": free,
        "fits": needed <= free,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _table(steps: Sequence[Step]) -> str:
    rows = [HEAD, *map(_cells, steps)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = []
    for row in rows:
        names = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join([*names, *numbers]).rstrip())
    notes = [f"{step.stage}, {step.part}: {step.note}" for step in steps if step.note]
    return "\n".join([*lines, *notes])


def _cells(step: Step) -> tuple[str, ...]:
    from mmoe.planning.steps import DONE

    rows = "" if step.rows is None else f"{step.rows:,}"
    parts = [size(step.kept_bytes)] if step.kept_bytes else []
    parts += [f"{size(step.passing_bytes)} for a time"] if step.passing_bytes else []
    seconds = NOT_ESTIMATED if step.seconds is None else duration(step.seconds)
    return step.stage, step.part, rows, " + ".join(parts), (DONE if step.state == DONE else seconds)


def _total(plans: Mapping[str, Sequence[Step]], copies: int, needed: int, free: int) -> str:
    steps = [step for each in plans.values() for step in each]
    seconds = sum(step.seconds or 0.0 for step in steps)
    lines = [f"time: {duration(seconds)}, and what is not estimated"]
    if copies > 1:
        lines.append(
            f"features count {copies} times: stage encode and DVC keep copies of them; "
            "`dvc config cache.type hardlink` makes them one"
        )
    fits = needed <= free
    lines.append(f"disk: {size(needed)} more at most, {size(free)} free")
    lines.append("it fits" if fits else f"it does not fit: {REMEDIES}")
    return "\n".join(lines)


def size(num_bytes: int) -> str:
    """Bytes for people, in decimal units."""
    if num_bytes < 10**9:
        return f"{num_bytes / 10**6:.1f} MB"
    return f"{num_bytes / 10**9:.1f} GB"


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"
