"""Writes the embedded sample again.

usage  python -m mmoe.sample build [--out data/raw/sample]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmoe.sample.build import build_clip, build_sample


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m mmoe.sample", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.add_argument("--out", type=Path, default=Path("data/raw/sample"))
    folder = parser.parse_args().out
    counts = build_sample(folder)
    build_clip(folder)
    print(f"{folder}: {', '.join(f'{number} {name}' for name, number in counts.items())}")


if __name__ == "__main__":
    main()
