"""Stage report: one page about a data set's run, and the same in short as Markdown.

usage  python -m pipeline.report DATASET
in     reports/<dataset>/{metrics,baselines,data}.json, data/ranks/<dataset>,
       data/models/<dataset>/history.json,
       data/interim/<dataset>/{mentions,entities,candidates,descriptions}.parquet,
       {retrieve,retrieve_runs,rank}.json there, reports/<dataset>/descriptions.json,
       images of data/raw/<dataset>, reports/published.yaml
out    reports/<dataset>/report.html, reports/<dataset>/report.md
"""

from __future__ import annotations

from pathlib import Path

from mmoe.config.load import ParamsFile
from mmoe.config.report import ReportParams
from mmoe.files import write_text
from mmoe.reporting.inputs import ReportFiles, read_inputs
from mmoe.reporting.page import build_report

from pipeline.layout import Layout
from pipeline.stage import run_stage

PUBLISHED = Path("reports/published.yaml")


def report(at: Layout, file: ParamsFile) -> None:
    params = file.section(ReportParams)
    files = ReportFiles(
        raw=at.raw,
        mentions=at.mentions,
        entities=at.entities,
        candidates=at.candidates,
        descriptions=at.descriptions,
        worth=at.report / "descriptions.json",
        data=at.report / "data.json",
        retrieve_counts=at.retrieve_counts,
        retrieve_runs=at.retrieve_runs,
        rank_counts=at.rank_counts,
        metrics=at.report / "metrics.json",
        baselines=at.report / "baselines.json",
        history=at.model / "history.json",
        ranks=at.ranks / "ranks.parquet",
        published=PUBLISHED,
    )
    built = build_report(read_inputs(at.dataset, files), params.num_examples)
    write_text(at.report / "report.html", built.html)
    write_text(at.report / "report.md", built.markdown)
    print(built.main_table)
    print(f"report: {at.report / 'report.html'}")


if __name__ == "__main__":
    run_stage(report, __doc__)
