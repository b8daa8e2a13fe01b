"""Stage description_ablation: what the descriptions of other backends are worth, beside those of the run.

usage  python -m pipeline.description_ablation DATASET
in     data/interim/<dataset>/{mentions,entities,candidates,descriptions}.parquet,
       data/features/<dataset>, data/models/<dataset>/matcher.safetensors
out    data/ranks/<dataset>/{choices,description_ablation}.parquet, choices.json there

Each backend chooses for the test mentions; texts that no other choice has made are encoded and ranked, by the
matcher that was trained with the run's own descriptions and by the baselines that read descriptions. It is
off, and its files say why, without backends, without candidates or by description_ablation.enabled.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from mmoe.config.description_ablation import DescriptionAblationParams
from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.rank import RankParams
from mmoe.config.runtime import RuntimeParams
from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.descriptions import group_candidates
from mmoe.descriptions.counts import accuracies
from mmoe.evaluation.ranks import Ranks
from mmoe.files import write_sealed_json
from mmoe.records import (
    Candidate,
    Description,
    Entity,
    Mention,
    TextInput,
    read_records,
    write_records,
)
from mmoe.sealed_parquet import write_sealed

from pipeline.current import check_features
from pipeline.layout import Layout
from pipeline.rankers import LocalRankers
from pipeline.stage import run_stage
from pipeline.tuned import tuned_encoder


def description_ablation(at: Layout, file: ParamsFile) -> None:
    params, ranking = file.section(DescriptionAblationParams), file.section(RankParams)
    test = [m for m in read_records(at.mentions, Mention) if m.split == "test" and m.in_kb]
    ids = {mention.mention_id for mention in test}
    found = [c for c in read_records(at.candidates, Candidate, at.records) if c.mention_id in ids]
    own = [r for r in read_records(at.descriptions, Description, at.choice) if r.mention_id in ids]
    why_off = _why_off(params, found)
    choices, texts, ranks = list(own), ChoiceTexts([], []), dict[str, Ranks]()
    if why_off:
        print(f"{at.dataset}: descriptions are not compared: {why_off}")
    else:
        groups, used = group_candidates(test, found), {record.backend for record in own}
        encoding, runtime = file.section(EncodeParams).for_ranking, file.section(RuntimeParams)
        rankers = LocalRankers(
            at, "description_ablation", ranking.seed, ranking.encoder, encoding, runtime
        )
        others = [backend for backend in params.backends if backend not in used]
        for backend in others:
            choices += rankers.rank(backend, test, groups)
        texts = ChoiceTexts.of(choices, test)
        print(
            f"{at.dataset}: {len(used) + len(others)} backends make {len(texts.texts)} different texts of "
            f"{len(test)} mentions; {len(texts.texts) - len(own)} are encoded and all are ranked, about "
            f"{len(texts.texts) / len(test):.1f} times the work of stage evaluate "
            "(description_ablation.enabled: false leaves it out)"
        )
        ranks = _measure(at, file, test, texts, rankers)
    write_records(at.ranks / "choices.parquet", Description, choices)
    table = texts.rank_table(choices, ranks)
    write_sealed(at.ranks / "description_ablation.parquet", table, at.records)
    with_gold = _with_gold(test, found)
    counts = {
        "mentions": len(test),
        "with_gold_candidate": len(with_gold),
        "used": own[0].backend if own else None,
        "off": why_off,
        "choices": {} if why_off else accuracies(choices, with_gold),
    }
    write_sealed_json(at.ranks / "choices.json", counts)


def _measure(
    at: Layout, file: ParamsFile, test: list[Mention], texts: ChoiceTexts, rankers: LocalRankers
) -> dict[str, Ranks]:
    """Encodes the texts that aren't the run's own and ranks all."""
    # Imported here: torch and transformers take seconds to start, and there may be nothing to measure.
    from mmoe.description_ablation.ranks import ranks_of_texts
    from mmoe.encoders.encode import encode_texts
    from mmoe.encoders.registry import base_encoder
    from mmoe.linking.data import LinkingData
    from mmoe.linking.memory import keep_memory_flat
    from mmoe.linking.sides import BASE

    from pipeline.index import open_index

    keep_memory_flat()
    encode, runtime = file.section(EncodeParams), file.section(RuntimeParams)
    check_features(at)
    data = LinkingData.open(
        test, read_records(at.entities, Entity), at.features, encode.feature_config
    )
    new, features = texts.texts[len(test) :], None
    if new:
        work = at.work("description_ablation")
        table, features = work / "texts.parquet", work / "features"
        write_records(table, TextInput, new)
        name = tuned_encoder(at) or encode.model
        encoder = rankers.loaded(name, encode.precision, "encode.model")
        encode_texts(table, features, work / "texts", encode, runtime, encoder, around_name=True)
        if data.mention_side.base is not None:
            kept, base = work / "base", base_encoder(encoder)
            encode_texts(table, features / BASE, kept, encode, runtime, base, around_name=True)
        table.unlink()
    engine = file.section(EvaluateParams).engine
    ranks = ranks_of_texts(texts, data, features, open_index(at, data, runtime), engine)
    if features:
        shutil.rmtree(features)  # its rows are kept beside it
    return ranks


def _why_off(params: DescriptionAblationParams, candidates: Sequence[Candidate]) -> str | None:
    if not params.enabled:
        return "description_ablation.enabled is false"
    if not params.backends:
        return "description_ablation.backends is empty"
    return None if candidates else "no test mention has a candidate"


def _with_gold(test: Sequence[Mention], candidates: Sequence[Candidate]) -> set[str]:
    """The mentions that have their gold entity among their candidates."""
    gold = {mention.mention_id: mention.gold_qid for mention in test}
    return {c.mention_id for c in candidates if gold[c.mention_id] == c.qid}


if __name__ == "__main__":
    run_stage(description_ablation, __doc__)
