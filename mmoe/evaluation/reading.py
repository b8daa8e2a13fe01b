"""The results of a run as DataFrames: for the stages that follow, and for a notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmoe.errors import DataError, one_line
from mmoe.evaluation.metrics import RankedSystems
from mmoe.evaluation.ranks import Ranks
from mmoe.files import read_sealed_json
from mmoe.names import normalise_name
from mmoe.records import Entity, Leak, Mention, read_pipeline_table, read_records

FIELDS = [field.name for kind in (Mention, Leak) for field in fields(kind)]
RECORD_COLUMNS = [*dict.fromkeys(name for name in FIELDS if name != "gold_qid"), "is_clean"]
PART_KINDS = {"breakdowns": "breakdown", "breakdowns_of_reranked": "reranked breakdown"}
RANK_COLUMNS = (
    *("mention_id", "gold_qid", "rank", "rank_optimistic", "untrained_rank"),
    *("candidate_rank", "candidate_rank_optimistic"),
)


def read_ranks(run: str, root: Path = Path()) -> pd.DataFrame:
    """The ranks of a run, one row a test mention.

    Args:
        run: a data set whose pipeline has run, by the name of its folder in data/raw.
        root: the project's folder.
    Returns:
        `mention_id`, `gold_qid`, `rank`, `rank_optimistic`, `untrained_rank` and `candidate_rank` (missing
        where they were not measured), then the fields of the mention (`surface_form`, `context`, `image` …)
        and of its leaks, and `is_clean`.
    Raises:
        DataError: if a file of the run is missing or broken.
    Example:
        >>> ranks = read_ranks("sample")
        >>> ranks[ranks["rank"] > 1].groupby("evidence")["rank"].median()
    """
    interim = root / "data/interim" / run
    records = interim / "mentions.parquet", interim / "entities.parquet"
    return join_mentions(
        read_table(root / "data/ranks" / run / "ranks.parquet", RANK_COLUMNS, records),
        read_records(records[0], Mention),
        read_records(interim / "leaks.parquet", Leak, records),
    )


def join_mentions(
    ranks: pd.DataFrame, mentions: Iterable[Mention], leaks: Iterable[Leak]
) -> pd.DataFrame:
    """The ranks, in their order, with what is known of each mention; see `read_ranks`.

    Args:
        mentions, leaks: of the data set, those of other splits too.
    Raises:
        DataError: if a mention lacks its record.
    """
    leak_of = {leak.mention_id: leak for leak in leaks}
    known = pd.DataFrame(
        asdict(leak) | asdict(mention) | {"is_clean": leak.is_clean}
        for mention in mentions
        if (leak := leak_of.get(mention.mention_id)) is not None
    ).reindex(columns=RECORD_COLUMNS)
    if lost := set(ranks["mention_id"]) - set(known["mention_id"]):
        raise DataError(
            f"ranks.parquet names mention {min(lost)}, which the data set lacks; run dvc repro, so "
            "that all files come from one run"
        )
    return ranks.merge(known, on="mention_id", how="left", validate="1:1")


def ranks_in(frame: pd.DataFrame, column: str = "rank") -> Ranks:
    """The columns `<column>` and `<column>_optimistic`."""
    return Ranks(*frame[[column, f"{column}_optimistic"]].to_numpy(np.int64).T)


def ranked_systems(
    frame: pd.DataFrame, baselines: pd.DataFrame, column: str = "rank"
) -> RankedSystems | None:
    """The matcher and all baselines that have ranks of this kind, mentions in the order of `frame`.

    Args:
        frame: ranks.parquet; `baselines`, baselines.parquet.
        column: rank, over the whole knowledge base, or candidate_rank, over the candidates.
    Returns:
        None if the matcher has none.
    Raises:
        DataError: if a baseline did not rank one of the mentions.
    """
    if frame[column].isna().any():
        return None
    found = {}
    for method, rows in baselines.groupby("method", sort=False):
        aligned = rows.set_index("mention_id").reindex(frame["mention_id"])
        if aligned["method"].isna().any():
            raise DataError(
                f"baselines.parquet: {method} ranked other mentions than the matcher; run dvc repro, "
                "so that all files come from one run"
            )
        if not aligned[column].isna().any():
            found[str(method)] = ranks_in(aligned, column)
    return RankedSystems(ranks_in(frame, column), found)


def breakdowns(frame: pd.DataFrame, entities: Sequence[Entity]) -> dict[str, NDArray[np.bool_]]:
    """Which mentions belong to which part, bool [M] by name.

    `clean`: neither text nor image recurs in train, and no image of the gold entity is the mention's
    own. `unseen_gold`: no training mention has the same gold entity. `shared_name`: another entity has the
    gold entity's name. `form_is_name` and `form_is_not_name`: whether the surface form is that name, both
    normalised. `evidence_<label>`: those with the label.

    Args:
        frame: of `read_ranks`; `entities`, the knowledge base.
    """
    names = {entity.qid: normalise_name(entity.name) for entity in entities}
    times = Counter(names.values())
    gold_names = frame["gold_qid"].map(names)
    forms = frame["surface_form"].map(normalise_name)
    evidence = frame["evidence"]
    labels = sorted(evidence.dropna().unique())
    parts = {
        "clean": frame["is_clean"],
        "unseen_gold": ~frame["seen_gold"].astype(bool),
        "shared_name": gold_names.map(times) > 1,
        "form_is_name": forms == gold_names,
        "form_is_not_name": forms != gold_names,
    }
    parts |= {f"evidence_{label}": evidence.eq(label).fillna(value=False) for label in labels}
    return {name: rows.to_numpy(bool) for name, rows in parts.items()}


def read_metrics(run: str, root: Path = Path()) -> pd.DataFrame:
    """The metrics of a run, one row a system or part of the mentions.

    Args:
        run, root: see `read_ranks`.
    Returns:
        `kind` (system, untrained, reranked, baseline, breakdown, or reranked breakdown), `name`,
        `num_mentions`, then the metrics with their 95 % intervals (`mrr`, `mrr_low`, `mrr_high`,
        `hits_at_1` …), `mean_rank`, `median_rank` and the matcher's paired gain over the row's system
        (`gain_mrr`, `gain_mrr_low`, `gain_mrr_high`; missing where it is not measured).
    Raises:
        DataError: if evaluation.json is missing or broken.
    """
    path = root / "reports" / run / "evaluation.json"
    if not path.is_file():
        raise DataError(f"{path}: no such file; run stage metrics (dvc repro)")
    try:
        found = read_sealed_json(path)
        rows = [_row("system", "matcher", found["system"])]
        if found["untrained"] is not None:
            gain = found["gain_over_untrained"]
            rows.append(_row("untrained", "matcher, untrained", found["untrained"], gain))
        rows += [_row("reranked", name, again) for name, again in found["reranked"].items()]
        for name, metrics in found["baselines"].items():
            rows.append(_row("baseline", name, metrics, found["gains"][name]))
        for key, kind in PART_KINDS.items():
            rows += [_row(kind, name, part) for name, part in found[key].items()]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not what stage metrics writes ({one_line(error)}); run dvc repro"
        ) from None
    table = pd.json_normalize(rows, sep="_")
    return table.rename(columns=lambda column: column.removesuffix("_value"))


def read_table(
    path: Path, columns: Sequence[str] | None = None, made_of: Sequence[Path] = ()
) -> pd.DataFrame:
    """A Parquet file of the pipeline as a DataFrame; see `read_pipeline_table`."""
    table: pd.DataFrame = read_pipeline_table(path, columns, made_of).to_pandas()
    return table


def _row(
    kind: str, name: str, metrics: Mapping[str, Any], gain: Mapping[str, float] | None = None
) -> dict[str, Any]:
    row = {"kind": kind, "name": name, **metrics}
    return row if gain is None else row | {"gain_mrr": gain}
