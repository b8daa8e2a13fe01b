"""Writes the museum of docs/tutorial-own-kb.md.

usage  python -m tools.museum FOLDER   objects.csv, new.csv, labelled.csv and photos; the same bytes each time
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.museum.build import build_museum


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.museum",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    counts = build_museum(folder)
    print(f"{folder}: {', '.join(f'{number} {name}' for name, number in counts.items())}")


if __name__ == "__main__":
    main()
