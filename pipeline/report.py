"""Stage report: one page about a data set's run, and the same in short as Markdown.

usage  python -m pipeline.report DATASET
in     reports/<dataset>/{evaluation,data,description_ablation}.json, data/ranks/<dataset>/ranks.parquet,
       data/models/<dataset>/{history,reranker}.json,
       data/interim/<dataset>/{mentions,entities,candidates,descriptions}.parquet,
       {retrieve,rank}.json there, images of data/raw/<dataset>, reports/published.yaml
out    reports/<dataset>/report.html, reports/<dataset>/report.md
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.rank import RankParams
from mmoe.config.report import ReportParams
from mmoe.config.retrieve import RetrieveParams
from mmoe.files import write_text
from mmoe.reporting.inputs import read_inputs
from mmoe.reporting.page import build_report

from pipeline.layout import Layout
from pipeline.stage import run_stage

SHOWN_SECTIONS = (DataParams, RetrieveParams, RankParams, EncodeParams, EvaluateParams)
PACKAGES = ("mmoe", "torch", "transformers", "numpy", "bm25s")


def report(at: Layout, file: ParamsFile) -> None:
    settings = {kind.SECTION: file.section(kind).model_dump(mode="json") for kind in SHOWN_SECTIONS}
    inputs = read_inputs(at.dataset, settings, installed_versions())
    built = build_report(inputs, file.section(ReportParams).num_examples)
    write_text(at.report / "report.html", built.html)
    write_text(at.report / "report.md", built.markdown)
    print(built.main_table)
    print(f"report: {at.report / 'report.html'}")


def installed_versions() -> dict[str, str]:
    """The versions of the packages that decide figures."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


if __name__ == "__main__":
    run_stage(report, __doc__)
