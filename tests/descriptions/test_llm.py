"""The stage with a language model: from candidates to descriptions, ledger and log, whatever is answered."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmoe.descriptions.position import FIRST, THIRDS
from mmoe.errors import RankingError
from mmoe.files import read_json
from mmoe.records import Candidate, Entity, Mention, write_records

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake, Handler, Trick
from tests.descriptions.llm_client.runs import CANARY
from tests.descriptions.rows import candidates, mention
from tests.descriptions.stage import ledger, logs, run, write


def test_the_model_chooses_whatever_the_order_it_is_shown(fake: Fake, at: Layout) -> None:
    write(at, *(f"text {number}" for number in range(12)))
    records = run(at, fake)
    assert {(r.qid, r.description, r.is_gold) for r in records} == {("Q2", "sailor", True)}
    places = {re.findall(r"(\d+)\b.*\bsailor\b", call.question)[-1] for call in fake.log}
    assert len(places) > 1  # it was shown in different places
    counts = read_json(at.rank_counts)
    assert counts["answers"] == {"chosen": 12}
    assert counts["all"]["share_right"] == 1.0
    lines = ledger(at)
    assert len(lines) == 12
    assert lines == sorted(lines, key=lambda line: line["key"])
    told = {"model": "gpt-4o-mini-2026-01-01", "fingerprint": "fp_x", "outcome": "answered"}
    for line in lines:
        assert told.items() <= line.items()
        assert line["answer"] == f'{{"choice": {line["choice"]}}}'
        assert (line["left_out"], line["completion_tokens"]) == ([], 1)
        assert line["prompt_tokens"] > 100


def test_a_second_run_asks_nothing_and_writes_the_same(fake: Fake, at: Layout) -> None:
    """Bit for bit, at another time and with other prices and limits."""
    write(at, "one", "two", "one")
    outs = (at.descriptions, at.inputs("mention_text"), at.rank_counts, at.ledger)
    first = run(at, fake)
    written = [out.read_bytes() for out in outs]
    assert len(fake.log) == 2  # equal questions are asked once
    assert run(at, fake, max_calls=0, price_prompt=1.0, price_completion=2.0) == first
    assert [out.read_bytes() for out in outs] == written
    assert [log["rounds"][0]["cache_hits"] for log in logs(at)] == [0, 2]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (tricks.says('{"choice": 0}'), "none"),
        (tricks.says('{"choice": 99}'), "outside the candidates"),
        (tricks.says(None, refusal="no"), "refused"),
    ],
)
def test_what_is_no_choice_is_counted_and_adds_nothing(
    fake: Fake, at: Layout, answer: Trick, reason: str
) -> None:
    write(at, "a text")
    fake.always = answer
    assert [(r.qid, r.description) for r in run(at, fake)] == [(None, None)]
    assert read_json(at.rank_counts)["answers"] == {reason: 1}


def test_the_run_says_how_many_answers_failed(
    fake: Fake, at: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    write(at, "alpha", "beta", "gamma")
    replies = {"alpha": "I can't say.", "beta": '{"choice": 1}', "gamma": '{"choice": 77}'}

    def answer(handler: Handler) -> None:
        question = handler.asked().question
        tricks.says(next(text for word, text in replies.items() if word in question))(handler)

    fake.always = answer
    run(at, fake, output="plain")
    said = next(line for line in capsys.readouterr().out.splitlines() if "failed" in line)
    assert said == (
        f"{at.dataset}: 2 of 3 answers of the model failed (1 no choice, 1 outside the candidates)"
    )


def test_the_estimate_sends_and_writes_nothing(
    fake: Fake, at: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    write(at, "one", "two", "one")
    run(at, fake, estimate=True, price_prompt=1.0, price_completion=2.0)
    said = capsys.readouterr().out
    assert "2 questions to 127.0.0.1" in said
    assert re.search(
        r"first attempts: about \d+ tokens .* about 0\.00 USD, retries come on top", said
    )
    assert fake.log == []
    assert not at.descriptions.exists()
    with pytest.raises(RankingError, match="lexical costs nothing"):
        run(at, fake, estimate=True, backend="lexical")


def test_the_key_is_sent_and_stands_nowhere(
    fake: Fake, at: Layout, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write(at, "one", "two", "three")
    fake.tricks = {1: tricks.echo(200)}
    run(at, fake)
    assert {call.headers["authorization"] for call in fake.log} == {f"Bearer {CANARY}"}
    told = capsys.readouterr()
    assert CANARY not in told.out + told.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_confidence_is_the_score_with_log_probabilities(fake: Fake, at: Layout) -> None:
    """Only where something was asked: no candidate or one needs no question."""
    mentions = [mention(name, "a text", "Q2") for name in ("m0", "m1", "m2")]
    write_records(at.mentions, Mention, mentions)
    found = [*candidates("m0", "painter", "sailor"), *candidates("m1", "cook")]
    write_records(at.entities, Entity, [])
    write_records(at.candidates, Candidate, found, made_of=at.records)
    fake.always = tricks.label(("2", -0.1054), ("1", -2.3026))
    asked, single, none = run(at, fake, output="logprobs", order="retrieval")
    assert asked.qid == "Q2"
    assert asked.score == pytest.approx(0.9, abs=1e-3)
    assert (single.qid, single.score, none.qid) == ("Q1", None, None)
    assert len(fake.log) == 1
    told = {"chosen": 1, "no candidate": 1, "one candidate, no question": 1}
    assert read_json(at.rank_counts)["answers"] == told


@pytest.mark.parametrize(
    "refusal",
    [None, tricks.error(400, "logprobs are not supported with this model", param="logprobs")],
)
def test_without_log_probabilities_the_text_counts_and_has_no_score(
    fake: Fake, at: Layout, refusal: Trick | None
) -> None:
    """The server leaves them out without a word, or refuses to tell them."""
    write(at, "one", "two", "three")
    fake.always = said = tricks.says("2", "length")
    if refusal is not None:
        fake.always = tricks.lacking(refusal, "logprobs", otherwise=said)
    records = run(at, fake, output="logprobs", order="retrieval")
    assert {(record.qid, record.score) for record in records} == {("Q2", None)}
    assert read_json(at.rank_counts)["answers"] == {"chosen, no log-probabilities": 3}


def test_images_are_counted_by_what_became_of_them(
    fake: Fake, at: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.effect_noise((20, 10), 60).save(at.raw / "good.png")
    (at.raw / "broken.png").write_bytes((at.raw / "good.png").read_bytes()[:60])
    images = ["good.png", "good.png", None, "broken.png", "gone.png"]
    mentions = [replace(mention(f"m{n}", f"text {n}"), image=one) for n, one in enumerate(images)]
    write_records(at.mentions, Mention, mentions)
    found = [row for m in mentions for row in candidates(m.mention_id, "painter", "sailor")]
    write_records(at.entities, Entity, [])
    write_records(at.candidates, Candidate, found, made_of=at.records)
    run(at, fake, with_image=True)
    counts = {"attached": 2, "no image": 1, "can't be read": 1, "file is missing": 1}
    assert read_json(at.rank_counts)["images"] == counts
    assert (
        "attached: 2, can't be read: 1, file is missing: 1, no image: 1" in capsys.readouterr().err
    )
    assert sum(isinstance(call.body["messages"][-1]["content"], list) for call in fake.log) == 2
    run(at, fake, with_image=True, estimate=True, price_prompt=1.0, price_completion=1.0)
    told = capsys.readouterr()
    assert "attached: 2" in told.err
    assert "3,000 an image" in told.out


def test_a_model_that_prefers_the_first_candidate_is_seen(
    fake: Fake, at: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal questions count once; one that names the sailor wherever he stands is not suspected."""
    write(at, *(f"text {n // 2}" for n in range(120)))
    run(at, fake)
    assert read_json(at.rank_counts)["position"]["p_value"] > 0.01
    fake.always = tricks.says('{"choice": 1}')
    run(at, fake, seed=44)
    found = read_json(at.rank_counts)["position"]
    assert found["choices"] == 60
    assert found["chosen"] == {FIRST: 1.0, THIRDS[0]: 1.0, THIRDS[1]: 0.0, THIRDS[2]: 0.0}
    assert found["unbiased"] == pytest.approx(dict.fromkeys((FIRST, *THIRDS), 1 / 3))
    assert found["p_value"] < 1e-12
    assert "first third 100.0 % (33.3)" in capsys.readouterr().out
