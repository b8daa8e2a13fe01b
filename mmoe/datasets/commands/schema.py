"""Prints the JSON Schema of our own format's rows, made of the models that the reader validates with."""

from __future__ import annotations

import argparse
import json

from mmoe.datasets.own_schema import ROWS, json_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The table whose rows are described."""
    parser.add_argument("table", nargs="?", choices=list(ROWS), help="one table; both if left out")


def run(arguments: argparse.Namespace) -> int:
    """Prints the schema as JSON."""
    print(json.dumps(json_schema(arguments.table), indent=2, ensure_ascii=False))
    return 0
