"""Stage benefit: what the descriptions of each backend are worth, to the baselines and to the matcher.

usage  python -m pipeline.benefit DATASET
in     data/interim/<dataset>/{mentions,entities,candidates,choices}.parquet,
       data/interim/<dataset>/inputs/ablation_text.parquet, data/features/<dataset>,
       data/models/<dataset>/matcher.safetensors
out    reports/<dataset>/descriptions.json, data/ranks/<dataset>/descriptions.parquet

The matcher is the one that was trained with the run's own descriptions: only the test mentions' texts are
exchanged.
"""

from __future__ import annotations

import pyarrow.parquet as pq

from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.train import TrainParams
from mmoe.description_ablation.systems import baseline_ranks
from mmoe.description_ablation.table import rank_table
from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.description_ablation.worth import accuracies, by_backend, gains
from mmoe.files import atomic_write, write_json
from mmoe.linking.checkpoint import load_checkpoint
from mmoe.linking.data import LinkingData
from mmoe.linking.device import resolve_device
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.ranking import rank_over_kb
from mmoe.model.registry import spec_from_params
from mmoe.records import Candidate, Description, Entity, Mention, TextInput, read_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def benefit(at: Layout, file: ParamsFile) -> None:
    keep_memory_flat()
    encode, params = file.section(EncodeParams), file.section(EvaluateParams)
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    choices = by_backend(read_records(at.choices, Description))
    texts = ChoiceTexts.of(read_records(at.inputs("ablation_text"), TextInput), mentions)
    data = LinkingData.open(texts.mentions, entities, at.features, encode.feature_config, texts.ids)
    spec = spec_from_params(file, data.widths)
    device = resolve_device(file.section(TrainParams).device)
    everything = data.linkable("test")  # all: the texts are of such mentions alone
    ranked = rank_over_kb(
        load_checkpoint(at.model / "matcher.safetensors", spec).matcher.to(device),
        data.entity_batches(device),
        data.mention_batches(everything, device),
        data.gold_of(everything),
        engine=params.engine,
    )
    own = texts.rows_of(next(iter(choices.values()), []))
    ranks = {spec.model.name: ranked.ranks} | baseline_ranks(texts, data, own)
    gold = {mention.mention_id: mention.gold_qid for mention in texts.mentions}
    found = read_records(at.candidates, Candidate)
    with_gold = {c.mention_id for c in found if gold.get(c.mention_id) == c.qid}
    worth = {
        "mentions": len(gold),
        "with_gold_candidate": len(with_gold),
        "used": next(iter(choices), None),
        "choices": accuracies(choices, with_gold),
        "systems": gains(choices, texts, ranks, params.bootstrap_samples),
    }
    write_json(at.report / "descriptions.json", worth)
    with atomic_write(at.ranks / "descriptions.parquet") as path:
        pq.write_table(rank_table(choices, texts, ranks), path, compression="zstd")
    print(
        f"{at.dataset}: {len(choices)} backends, {len(ranks)} systems: {at.report}/descriptions.json"
    )


if __name__ == "__main__":
    run_stage(benefit, __doc__)
