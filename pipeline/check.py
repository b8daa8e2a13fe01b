"""Validates params.yaml, and that the data sets and encoders that it names are there.

usage  python -m pipeline.check
"""

from __future__ import annotations

from mmoe.config.check import check_places

from pipeline.stage import checked_params, exit_on_mistake


def check() -> None:
    check_places(checked_params())
    print("params.yaml: ok")


if __name__ == "__main__":
    exit_on_mistake(check)
