"""Prints what the last run came to: the Markdown report of every data set, and where its page is.

usage  python -m pipeline.show
"""

from __future__ import annotations

from mmoe.config.check import dataset_names
from mmoe.files import read_text

from pipeline.layout import Layout
from pipeline.stage import checked_params, exit_on_mistake

NEXT = """
next:  dvc exp run -S moe.top_k=2                   # change a knob: only what depends on it runs
back:  git checkout HEAD params.yaml && dvc repro   # out of the cache, in seconds
all:   mmoe runs                                    # the runs beside each other"""


def show() -> None:
    for dataset in dataset_names(checked_params()):
        at = Layout(dataset)
        print(f"\n{read_text(at.report / 'report.md')}")
        print(f"report: {at.report / 'report.html'}")
    print(NEXT)


if __name__ == "__main__":
    exit_on_mistake(show)
