"""Stage retrieve: the Wikidata candidates of every mention.

usage  python -m pipeline.retrieve DATASET [--offline]
in     data/interim/<dataset>/{mentions,entities}.parquet,
       data/raw/<dataset>/wikidata.jsonl or wikidata.jsonl.gz if retrieve.source is index
out    data/interim/<dataset>/{candidates.parquet,retrieve.json}, data/interim/<dataset>/labels
       .mmoe/retrieve/<dataset>/log.jsonl: seconds and requests of every run
"""

from __future__ import annotations

import time
from typing import Any

from mmoe.config.load import ParamsFile
from mmoe.config.retrieve import RetrieveParams
from mmoe.config.wikidata import WikidataParams
from mmoe.files import append_json_line, atomic_folder, write_sealed_json
from mmoe.records import Candidate, Mention, read_records, write_records
from mmoe.wikidata.counts import retrieval_counts

from pipeline.layout import Layout
from pipeline.sources import SOURCES, Question, sources_to_show
from pipeline.stage import run_stage

KB_NOTE = (
    "candidates are entities of the knowledge base and their descriptions its attributes: "
    "the text that the matcher itself reads"
)
OFFLINE = "ask the cache of the API's answers and nothing else"


def retrieve(at: Layout, file: ParamsFile, offline: bool = False) -> None:
    params, limits = file.section(RetrieveParams), file.section(WikidataParams)
    mentions = read_records(at.mentions, Mention)
    counts: dict[str, Any] = {}
    runs: dict[str, Any] = {}
    candidates: list[Candidate] = []
    with atomic_folder(at.labels) as labels:
        for source in sources_to_show(at, params):
            started = time.perf_counter()
            found = SOURCES[source](Question(at, params, limits, mentions, offline, labels))
            runs[source] = {"seconds": round(time.perf_counter() - started, 2)} | found.run
            counts[source] = retrieval_counts(mentions, found.candidates) | found.counts
            if source == params.source:
                candidates = found.candidates
    write_records(at.candidates, Candidate, candidates, params.model_dump(), at.records)
    note = {"note": KB_NOTE} if params.source == "kb" else {}
    write_sealed_json(at.retrieve_counts, {"source": params.source} | note | {"sources": counts})
    # Outside the stage's outs: seconds and requests differ from run to run.
    append_json_line(at.work("retrieve") / "log.jsonl", runs)
    numbers = counts[params.source]["all"]
    print(
        f"{at.dataset}: of {numbers['mentions']} mentions "
        f"{numbers['mentions_without_candidate']} have no candidate, "
        f"{numbers['mentions_with_one_candidate']} one, "
        f"{numbers['mentions_with_several_candidates']} several (source {params.source})"
    )
    if numbers["recall_at_all"] is not None:
        print(f"the gold entity is among the candidates of {numbers['recall_at_all']:.1%}")


if __name__ == "__main__":
    run_stage(retrieve, __doc__, flags={"offline": OFFLINE})
