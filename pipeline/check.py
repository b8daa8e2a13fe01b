"""Validates params.yaml.

usage  python -m pipeline.check
"""

from __future__ import annotations

import sys

from mmoe.errors import MmoeError

from pipeline.stage import checked_params

if __name__ == "__main__":
    try:
        checked_params()
    except MmoeError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    print("params.yaml: ok")
