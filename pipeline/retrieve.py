"""Stage retrieve: the Wikidata candidates of every mention.

usage  python -m pipeline.retrieve DATASET
in     data/interim/<dataset>/{mentions,entities}.parquet,
       data/raw/<dataset>/wikidata.jsonl or wikidata.jsonl.gz if retrieve.source is index
out    data/interim/<dataset>/{candidates.parquet,retrieve.json}, data/interim/<dataset>/labels
"""

from __future__ import annotations

import shutil

from mmoe.config.load import ParamsFile
from mmoe.config.retrieve import RetrieveParams
from mmoe.files import write_json
from mmoe.records import Candidate, Entity, Mention, read_records, write_records
from mmoe.wikidata.counts import retrieval_counts
from mmoe.wikidata.dump import find_slice
from mmoe.wikidata.kb import find_in_kb
from mmoe.wikidata.labels import SOURCE, build_label_index, find_in_index

from pipeline.layout import Layout
from pipeline.stage import run_stage

KB_NOTE = (
    "candidates are entities of the knowledge base and their descriptions its attributes: "
    "the text that the matcher itself reads"
)


def retrieve(at: Layout, file: ParamsFile) -> None:
    params = file.section(RetrieveParams)
    mentions = read_records(at.mentions, Mention)
    candidates = _find(at, params, mentions)
    metadata = params.model_dump()
    write_records(at.candidates, Candidate, candidates, metadata)
    counts = retrieval_counts(mentions, candidates)
    note = {"note": KB_NOTE} if params.source == "kb" else {}
    write_json(at.retrieve_counts, {"source": params.source} | note | counts)
    numbers = counts["all"]
    print(
        f"{at.dataset}: of {numbers['mentions']} mentions "
        f"{numbers['mentions_without_candidate']} have no candidate, "
        f"{numbers['mentions_with_one_candidate']} one, "
        f"{numbers['mentions_with_several_candidates']} several (source {params.source})"
    )
    if numbers["recall_at_all"] is not None:
        print(f"the gold entity is among the candidates of {numbers['recall_at_all']:.1%}")


def _find(at: Layout, params: RetrieveParams, mentions: list[Mention]) -> list[Candidate]:
    # DVC removes outs before a stage; a stage that is run by hand would leave another source's index.
    shutil.rmtree(at.labels, ignore_errors=True)
    if params.source == "index":
        build_label_index(find_slice(at.raw), params.language, at.labels)
        return find_in_index(at.labels, mentions, params.max_candidates)
    write_json(at.labels / SOURCE, {"source": params.source})
    if params.source == "kb":
        return find_in_kb(read_records(at.entities, Entity), mentions, params.max_candidates)
    return []


if __name__ == "__main__":
    run_stage(retrieve, __doc__)
