"""Makes the embedded sample.

usage  python -m tools.sample build [--out data/raw/sample]        tables, images, Wikidata slice, card
       python -m tools.sample train-clip [--minutes 38] [--out …]  its small CLIP, on two cores
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.sample import train_clip
from tools.sample.build import build_sample


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.sample",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)
    build = commands.add_parser("build", help="tables, images, Wikidata slice, card")
    build.add_argument("--out", type=Path, default=Path("data/raw/sample"))
    build.set_defaults(run=_build)
    train = commands.add_parser("train-clip", help=train_clip.__doc__)
    train_clip.add_arguments(train)
    train.set_defaults(run=train_clip.main_train)
    arguments = parser.parse_args()
    arguments.run(arguments)


def _build(arguments: argparse.Namespace) -> None:
    counts = build_sample(arguments.out)
    print(f"{arguments.out}: {', '.join(f'{number} {name}' for name, number in counts.items())}")


if __name__ == "__main__":
    main()
