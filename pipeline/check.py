"""Validates params.yaml.

usage  python -m pipeline.check
"""

from __future__ import annotations

from pipeline.stage import checked_params, exit_on_mistake


def check() -> None:
    checked_params()
    print("params.yaml: ok")


if __name__ == "__main__":
    exit_on_mistake(check)
