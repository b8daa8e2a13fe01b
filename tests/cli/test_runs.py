"""`mmoe runs` over what DVC lists: equal names on two commits stay two runs."""

from __future__ import annotations

import pandas as pd
import pytest

from mmoe.cli import runs
from mmoe.cli.runs import WORKSPACE, Run, table_of, told_apart

METRICS = {"toy": {"mrr": 50.0, "mrr_low": 40.0, "mrr_high": 60.0, "hits_at_1": 50.0}}
# By revision; the workspace has none.
RANKS = {None: [1, 1], "a" * 40: [2, 2], "b" * 40: [4, 4]}


def listed() -> list[Run]:
    names = (WORKSPACE, "two-experts", "two-experts")
    return [
        Run(name, revision, {}, {}, METRICS) for name, revision in zip(names, RANKS, strict=True)
    ]


def ranks_of(run: Run, _: str) -> pd.DataFrame:
    ranks = RANKS[run.revision]
    return pd.DataFrame({"mention_id": ["m", "n"], "rank": ranks, "rank_optimistic": ranks})


def test_equal_names_on_two_commits_have_their_own_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ranks_of", ranks_of)
    table = table_of(told_apart(listed()), "toy", WORKSPACE)
    assert table.set_index("Run")["Difference"].str.partition(" ")[0].to_dict() == {
        WORKSPACE: "—",
        "two-experts@aaaaaaa": "-50.00",
        "two-experts@bbbbbbb": "-75.00",
    }


def test_a_name_that_only_one_run_has_stays_as_it_is() -> None:
    assert [run.name for run in told_apart(listed()[:2])] == [WORKSPACE, "two-experts"]
