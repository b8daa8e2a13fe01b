"""The comparison of description backends on the tiny data set: stages rank, compare, benefit, report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.features import encode as encoding
from mmoe.features.encoder import Encoder
from mmoe.ranking import group_candidates
from mmoe.records import Candidate, Description, Mention, TextInput, read_records

from pipeline.layout import Layout
from pipeline.rankers import LocalRankers
from tests.config.sheets import DEFAULTS
from tests.pipeline.project import contents, one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")
BACKENDS = DEFAULTS["compare"]["backends"]


def worth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((at.report / "descriptions.json").read_text())
    return found


def test_every_backend_chooses_for_every_test_mention(project: Path) -> None:
    test = [m for m in read_records(at.mentions, Mention) if m.split == "test" and m.in_kb]
    choices = read_records(at.choices, Description)
    by_backend = {name: [c for c in choices if c.backend == name] for name in BACKENDS}
    assert {len(found) for found in by_backend.values()} == {len(test)}
    assert len(choices) == len(BACKENDS) * len(test)
    assert choices[0].backend == "lexical"  # that of the run comes first
    texts = read_records(at.inputs("choice_text"), TextInput)
    assert {text.id for text in texts} == {choice.text_id for choice in choices}


def test_the_runs_own_descriptions_get_the_figures_of_the_other_stages(project: Path) -> None:
    """Encoded apart and ranked by other code: evaluate and baselines are the oracle."""
    systems = worth()["systems"]
    metrics = json.loads((at.report / "metrics.json").read_text())
    baselines = json.loads((at.report / "baselines.json").read_text())
    for name in ("mrr", "hits_at_1", "mrr_low", "mrr_optimistic"):
        assert systems["mmoe"]["lexical"][name] == pytest.approx(metrics[name], abs=1e-3)
        for system in ("cosine, text–text", "two-part cosine"):
            ours = systems[system]["lexical"][name]
            assert ours == pytest.approx(baselines[system][name], abs=1e-3)
    # Without a description BM25 asks what the baseline asks.
    bm25 = "BM25, word + context"
    assert systems[bm25]["none"]["mrr"] == baselines[bm25]["mrr"]


def test_a_perfect_choice_is_right_wherever_it_can_be(project: Path) -> None:
    found = worth()["choices"]
    assert found["perfect"]["share_right_where_possible"] == 1.0
    assert found["perfect"]["right"] == worth()["with_gold_candidate"]
    for name in ("first", "lexical", "embedding", "random"):
        assert found[name]["right"] <= found["perfect"]["right"]


def test_nothing_need_be_compared(project: Path) -> None:
    write_params(Path("params.yaml"), compare={"backends": []})
    for stage in ("compare", "benefit", "report"):
        if stage == "benefit":
            run("encode", "tiny", "choice_text")
        run(stage, "tiny")
    assert list(worth()["choices"]) == ["lexical"]
    assert "gain_mrr" not in worth()["systems"]["mmoe"]["lexical"]
    page = (at.report / "report.html").read_text("utf-8")
    assert "Gain over no description" not in page


@pytest.mark.parametrize("backend", ["embedding", "random", "perfect", "gold"])
def test_each_backend_can_be_that_of_the_run(backend: str, project: Path) -> None:
    write_params(Path("params.yaml"), rank={"backend": backend})
    run("rank", "tiny")
    assert json.loads(at.rank_counts.read_text())["backend"] == backend
    records = read_records(at.descriptions, Description)
    assert {record.backend for record in records} == {backend}
    before = contents("data/interim")
    run("rank", "tiny")
    assert contents("data/interim") == before
    run("compare", "tiny")
    choices = read_records(at.choices, Description)
    assert choices[0].backend == backend
    assert [record for record in records if record in choices] == choices[: len(choices) // 7]


def test_an_encoder_that_is_not_there_ends_with_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(Path("params.yaml"), rank={"backend": "embedding", "encoder": "no/such-folder"})
    line = one_line(capsys, "rank", "tiny")
    assert line.startswith("rank.encoder = no/such-folder: can't be loaded")


class StoppedError(Exception):
    """Ends a run from inside, as a full disk would."""


def test_a_killed_embedding_goes_on_with_what_is_done(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mentions = read_records(at.mentions, Mention)
    groups = group_candidates(mentions, read_records(at.candidates, Candidate))
    rankers = LocalRankers(
        at, "rank", 1, None, ParamsFile(Path("params.yaml")).section(EncodeParams).for_ranking
    )
    whole = rankers.rank("embedding", mentions, groups)
    calls: list[int] = []
    plain = encoding.encode_in_length_order

    def counted(encoder: Encoder, texts: Sequence[Sequence[int]], size: int) -> Any:
        calls.append(len(texts))
        if len(calls) == 3:  # texts and titles of the mentions are done
            raise StoppedError
        return plain(encoder, texts, size)

    monkeypatch.setattr(encoding, "encode_in_length_order", counted)
    with pytest.raises(StoppedError):
        rankers.rank("embedding", mentions, groups)
    calls[:] = [0, 0, 0]
    assert rankers.rank("embedding", mentions, groups) == whole
    assert len(calls) == 3 + 2  # the candidates alone
    assert not (at.work("rank") / "embeddings").exists()


def test_another_ranker_encodes_only_the_texts_with_another_description(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {row.id: row for row in read_records(at.inputs("mention_text"), TextInput)}
    write_params(Path("params.yaml"), rank={"backend": "first"})
    run("rank", "tiny")
    after = read_records(at.inputs("mention_text"), TextInput)
    same = sum(before[row.id] == row for row in after)
    assert 0 < same < len(after)
    capsys.readouterr()
    run("encode", "tiny", "mention_text")
    said = f"mention_text: {len(after)} rows, {same} of them as in the last run, 0 from an"
    assert said in capsys.readouterr().out
