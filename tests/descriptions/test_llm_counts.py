"""What a run with a language model writes down beside its choices: confidence, images, places, forms."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PIL import Image

from mmoe.descriptions.position import FIRST, THIRDS
from mmoe.files import read_json
from mmoe.records import Candidate, Mention, write_records

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake, Handler, Trick
from tests.descriptions.rows import candidates, mention
from tests.descriptions.stage import run, write


def write_imaged(at: Layout, *images: str | None) -> None:
    mentions = [replace(mention(f"m{n}", f"text {n}"), image=p) for n, p in enumerate(images)]
    write_records(at.mentions, Mention, mentions)
    found = [row for m in mentions for row in candidates(m.mention_id, "painter", "sailor")]
    write_records(at.candidates, Candidate, found)


def sure_of(word: str, *others: str) -> Trick:
    """Tells log-probabilities of labels: 0.9 for the candidate with that word, 0.1 for the other."""

    def answer(handler: Handler) -> None:
        label = {
            name: re.findall(rf"^\W*(\w)\W.*\b{name}\b", handler.asked().question, re.MULTILINE)[-1]
            for name in (word, *others)
        }
        pairs = [(label[word], -0.1054), *((label[name], -2.3026) for name in others)]
        tricks.label(*pairs)(handler)

    return answer


def test_confidence_is_the_score_with_log_probabilities(fake: Fake, at: Layout) -> None:
    """Only where something was asked: a single candidate has no score."""
    write_records(at.mentions, Mention, [mention("m0", "a text", "Q2"), mention("m1", "a text")])
    found = [*candidates("m0", "painter", "sailor"), *candidates("m1", "cook")]
    write_records(at.candidates, Candidate, found)
    fake.always = sure_of("sailor", "painter")
    asked, single = run(at, fake, output="logprobs")
    assert asked.qid == "Q2"
    assert asked.score == pytest.approx(0.9, abs=1e-3)
    assert (single.qid, single.score) == ("Q1", None)


@pytest.mark.parametrize(
    "refusal",
    [None, tricks.error(400, "logprobs are not supported with this model", param="logprobs")],
)
def test_without_log_probabilities_the_text_counts_and_has_no_score(
    fake: Fake, at: Layout, refusal: Trick | None
) -> None:
    """The server leaves them out without a word, or refuses to tell them."""
    write(at, "one", "two", "three")

    def answer(handler: Handler) -> None:
        if refusal is not None and "logprobs" in handler.asked().body:
            refusal(handler)
        else:
            number = re.findall(r"^(\d)\. .*sailor", handler.asked().question, re.MULTILINE)[-1]
            tricks.says(number, "length")(handler)

    fake.always = answer
    records = run(at, fake, output="logprobs")
    assert {(record.qid, record.score) for record in records} == {("Q2", None)}
    assert read_json(at.rank_counts)["answers"] == {"chosen, no log-probabilities": 3}


def test_images_are_counted_by_what_became_of_them(
    fake: Fake, at: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.effect_noise((20, 10), 60).save(at.raw / "good.png")
    (at.raw / "broken.png").write_bytes((at.raw / "good.png").read_bytes()[:60])
    write_imaged(at, "good.png", "good.png", None, "broken.png", "gone.png")
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
