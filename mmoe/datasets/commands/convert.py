"""Turns tables into our own format: CSV, TSV, JSONL, Parquet, or a Hugging Face data set saved to disk.

Columns are matched by name; --map names the others. At the end what is there is checked.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmoe.datasets.commands.check import show
from mmoe.datasets.convert import Conversion, Wish, convert
from mmoe.datasets.findings import examine_own
from mmoe.datasets.own import ENDINGS
from mmoe.datasets.own_schema import ROWS
from mmoe.datasets.sources import find_sources
from mmoe.errors import DataError
from mmoe.records import SPLITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The table, its sources, the folder, and which column is what."""
    parser.add_argument("table", choices=list(ROWS))
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="SOURCE",
        help=".csv, .tsv, .jsonl, .parquet or .arrow files, or folders of one kind of them",
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="data/raw/<name>")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="KEY=COLUMN",
        help="for example surface_form=surface_form",
    )
    split = parser.add_mutually_exclusive_group()
    split.add_argument("--split", choices=SPLITS, help="the split of every row")
    split.add_argument(
        "--split-column",
        metavar="COLUMN",
        help="says each row's split; else a column `split`, else the file's name (train, dev, test …)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replaces the table and its converted images"
    )


def run(arguments: argparse.Namespace) -> int:
    """Converts, says what was made of what, and checks the folder; 1 if the check finds a problem."""
    columns = _mapping(arguments.map)
    if arguments.split_column is not None:
        columns["split"] = arguments.split_column
    wish = Wish(arguments.table, columns, arguments.split, arguments.replace)
    folder: Path = arguments.to
    _say(convert(find_sources(arguments.sources), wish, folder))
    there = [name for name in ROWS if any((folder / f"{name}{e}").is_file() for e in ENDINGS)]
    code = show(folder, examine_own(folder, there))
    for name in ROWS:
        if name not in there:
            print(
                f"{folder}: {name} are still to come; convert or write them, then check the folder"
            )
    return code


def _mapping(pairs: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        key, equals, column = pair.partition("=")
        if not (key and equals and column):
            raise DataError(
                f"--map {pair}: write KEY=COLUMN, for example surface_form=surface_form"
            )
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
