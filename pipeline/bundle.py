"""Stage bundle: everything that links mentions, in one folder that works elsewhere.

usage  python -m pipeline.bundle DATASET
in     data/interim/<dataset>, features of the entities, data/models/<dataset>,
       reports/<dataset>/evaluation.json for the model card
out    data/bundles/<dataset>, for `mmoe.Linker.from_pretrained`; empty, with the reason on the screen, by
       bundle.enabled, or where descriptions are chosen by the answer
"""

from __future__ import annotations

from mmoe.config.bundle import BundleParams
from mmoe.config.load import ParamsFile
from mmoe.config.rank import RankParams
from mmoe.config.runtime import RuntimeParams
from mmoe.evaluation.reading import read_metrics
from mmoe.files import bytes_under
from mmoe.linker.examples import choose_examples
from mmoe.linker.linker import Linker
from mmoe.records import READS_ANSWER, Mention, read_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def bundle(at: Layout, file: ParamsFile) -> None:
    params, backend = file.section(BundleParams), file.section(RankParams).backend
    at.bundle.mkdir(parents=True, exist_ok=True)
    if not params.enabled or backend in READS_ANSWER:
        why = (
            f"rank.backend {backend} reads the answer"
            if params.enabled
            else "bundle.enabled is false"
        )
        print(f"{at.dataset}: no bundle ({why})")
        return
    device = file.section(RuntimeParams).device
    linker = Linker.from_run(at.model, at.interim, features=at.features, device=device)
    metrics = read_metrics(at.report.name, at.report.parent.parent)
    examples = choose_examples(linker, read_records(at.mentions, Mention), at.raw)
    linker.save(at.bundle, metrics=metrics, licence=params.licence, examples=examples)
    size = bytes_under(at.bundle) / 1e6
    print(f"{at.bundle}: {len(linker.entities):,} entities, {size:,.0f} MB")


if __name__ == "__main__":
    run_stage(bundle, __doc__)
