"""`mmoe runs`: the workspace, commits and experiments beside each other, with what was changed in each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from mmoe.config.check import dataset_names
from mmoe.config.load import ParamsFile
from mmoe.errors import DataError, one_line
from mmoe.evaluation.estimates import Estimate, paired_gain
from mmoe.evaluation.ranks import Ranks
from mmoe.sealed_parquet import read_sealed

MISSING = "—"
WORKSPACE = "workspace"
SAMPLES = 2000  # of the bootstrap


@dataclass(frozen=True)
class Run:
    """The workspace, a commit or an experiment.

    Attributes:
        revision: of Git; None for the workspace.
        params: knobs by name, `moe.top_k`.
        base: those of the commit that it started from.
        metrics: by data set, as metrics.json holds them.
    """

    name: str
    revision: str | None
    params: Mapping[str, Any]
    base: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float]]

    @property
    def changed(self) -> str:
        """The knobs that differ from those of the commit that the run started from."""
        names = [n for n in self.params if self.params[n] != self.base.get(n, self.params[n])]
        return ", ".join(f"{name}={_text(self.params[name])}" for name in names) or MISSING


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("runs")(runs)


def runs(
    dataset: Annotated[
        str | None, typer.Argument(help="A data set; without one, each of params.yaml's.")
    ] = None,
    against: Annotated[
        str, typer.Option(help="The run that the others are compared with, by its name.")
    ] = WORKSPACE,
    commits: Annotated[
        int, typer.Option(help="How many commits are looked at, from the last one on.")
    ] = 1,
) -> None:
    """List runs beside each other.

    The workspace, the last commits and their experiments. For each: name, changed parameters, MRR with its
    95 % interval, Hits@1, and how much better than --against it ranks the same mentions (paired, with
    interval; — where the ranks of a run are in no cache).
    """
    found = told_apart(list(find_runs(commits)))
    names = [run.name for run in found]
    if against not in names:
        raise DataError(f"--against {against}: no such run; there is {', '.join(names)}")
    for name in [dataset] if dataset else dataset_names(ParamsFile()):
        typer.echo(f"{name}, compared with {against}")
        typer.echo(table_of(found, name, against).to_string(index=False))


def told_apart(found: list[Run]) -> list[Run]:
    """The same runs; a name that several commits have is followed by the revision."""
    times = Counter(run.name for run in found)
    return [
        replace(run, name=f"{run.name}@{run.revision[:7]}")
        if run.revision and times[run.name] > 1
        else run
        for run in found
    ]


def find_runs(commits: int) -> Iterator[Run]:
    """All runs that DVC knows of the last commits.

    Raises:
        DataError: if DVC can't tell.
    """
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json", "--num", str(commits)]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise DataError(f"dvc exp show: {done.stderr.strip().splitlines()[-1]}")
    listed = json.loads(done.stdout)
    head = _params(listed[1]) if len(listed) > 1 else {}
    for entry in listed:
        is_workspace = entry["rev"] == WORKSPACE
        own = _params(entry)
        yield _run(entry, WORKSPACE if is_workspace else None, head if is_workspace else own)
        for experiment in entry.get("experiments") or []:
            last = experiment["revs"][0]
            yield _run(last, experiment.get("name"), own)


def _run(entry: Mapping[str, Any], name: str | None, base: Mapping[str, Any]) -> Run:
    found = (entry.get("data") or {}).get("metrics") or {}
    metrics = {
        path.split("/")[1]: part.get("data") or {}
        for path, part in found.items()
        if path.startswith("reports/") and path.endswith("/metrics.json") and path.count("/") == 2
    }
    revision = None if entry["rev"] == WORKSPACE else entry["rev"]
    title = name or entry.get("name") or entry["rev"][:7]
    return Run(title, revision, _params(entry), base, metrics)


def _params(entry: Mapping[str, Any]) -> dict[str, Any]:
    content = ((entry.get("data") or {}).get("params") or {}).get("params.yaml") or {}
    return {
        f"{section}.{key}" if isinstance(values, dict) else section: value
        for section, values in (content.get("data") or {}).items()
        for key, value in (values if isinstance(values, dict) else {"": values}).items()
    }


def table_of(found: list[Run], dataset: str, against: str) -> pd.DataFrame:
    """One row a run, their names all different; those without figures for the data set are left out."""
    measured = [run for run in found if run.metrics.get(dataset)]
    ranks = {run.name: ranks_of(run, dataset) for run in measured}
    reference = ranks.get(against)
    rows = []
    for run in measured:
        numbers = run.metrics[dataset]
        gain = None if run.name == against else _gain(ranks[run.name], reference)
        rows.append(
            {
                "Run": run.name,
                "Changed": run.changed,
                "MRR": f"{numbers['mrr']:.2f} ({numbers['mrr_low']:.2f} to {numbers['mrr_high']:.2f})",
                "Hits@1": f"{numbers['hits_at_1']:.2f}",
                "Difference": MISSING
                if gain is None
                else f"{gain.value:+.2f} ({gain.low:+.2f} to {gain.high:+.2f})",
            }
        )
    return pd.DataFrame(rows, columns=["Run", "Changed", "MRR", "Hits@1", "Difference"])


def ranks_of(run: Run, dataset: str) -> pd.DataFrame | None:
    """`mention_id`, `rank`, `rank_optimistic` of a run; None if its ranks are in no cache."""
    # Imported here: DVC takes a second to start.
    import dvc.api  # type: ignore[import-untyped]
    from dvc.exceptions import DvcException  # type: ignore[import-untyped]

    path = f"data/ranks/{dataset}/ranks.parquet"
    columns = ["mention_id", "rank", "rank_optimistic"]
    try:
        if run.revision is None:
            table: pd.DataFrame = read_sealed(Path(path), columns).to_pandas()
            return table
        with dvc.api.open(path, rev=run.revision, mode="rb") as stream:
            # Runs of earlier versions among them, whose tables state no checksum.
            return pd.read_parquet(stream, columns=columns)
    except (DvcException, OSError):
        return None
    except ValueError as error:
        raise DataError(f"{path} of {run.name}: broken ({one_line(error)})") from None


def _gain(ours: pd.DataFrame | None, theirs: pd.DataFrame | None) -> Estimate | None:
    """The paired difference over the mentions; None unless both runs have the same ones."""
    if ours is None or theirs is None:
        return None
    both = ours.merge(theirs, on="mention_id", suffixes=("", "_other"), validate="1:1")
    if len(both) != len(ours) or len(both) != len(theirs):
        return None
    mine, other = (
        Ranks(both[f"rank{end}"].to_numpy("int64"), both[f"rank_optimistic{end}"].to_numpy("int64"))
        for end in ("", "_other")
    )
    return paired_gain(mine, other, SAMPLES)


def _text(value: Any) -> str:
    return json.dumps(value).replace('"', "")
