"""Which questions there are, in what order they show candidates, how they shrink, and their images."""

from __future__ import annotations

import base64
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from mmoe.config.rank import RankParams
from mmoe.descriptions.prompting.question import Question
from mmoe.records import Mention

from tests.descriptions.prompting.written import last_message, writer, written
from tests.descriptions.rows import candidates, mention


def shown(question: Question) -> list[str]:
    """The descriptions in the order shown."""
    lines = last_message(question).partition("<candidates>\n")[2].partition("\n</candidates>")[0]
    return [line.partition(": ")[2] for line in lines.splitlines()]


@settings(max_examples=40)
@given(st.integers(2, 30), st.integers(2, 20), st.text(max_size=5), st.integers(0, 9))
def test_an_option_is_the_candidate_that_was_shown(n: int, most: int, text: str, seed: int) -> None:
    group = candidates("m", *(f"thing {i}" for i in range(n)))
    question = written(mention("m", text), group, shown_candidates=most, seed=seed)
    assert sorted(question.order) == list(range(min(n, most)))
    for option, description in enumerate(shown(question), start=1):
        assert group[question.order[option - 1]].description == description


def test_the_order_is_drawn_by_seed_and_content_alone() -> None:
    """Each place is equally likely: over 2,000 mentions and 4 places 5 standard deviations are 97."""
    mentions = [mention(f"m{i}", f"text {i}") for i in range(2000)]
    groups = {one.mention_id: candidates(one.mention_id, *"pqrs") for one in mentions}
    beside = writer().questions(mentions, groups)
    firsts = Counter(question.order.index(0) for question in beside.values())
    assert all(abs(firsts[place] - 500) < 97 for place in range(4))
    assert written(mentions[7], groups["m7"]) == beside["m7"]
    others = writer(seed=44).questions(mentions[:20], groups)
    assert [q.order for q in others.values()] != [q.order for q in beside.values()][:20]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "m-2"},
        {"output": "plain"},
        {"prompt": "few_shot"},
        {"base_url": "http://localhost:8000/v1"},
        {"server": "vllm"},
    ],
)
def test_equal_questions_have_one_key_and_others_another(changes: dict[str, Any]) -> None:
    about, group = mention("m", "text"), candidates("m", "x", "y")
    key = written(about, group).request.key
    assert written(mention("n", "text"), group).request.key == key
    assert written(mention("n", "other"), group).request.key != key
    assert written(about, group, **changes).request.key != key


def schema(num_options: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"choice": {"type": "integer", "enum": list(range(num_options + 1))}},
        "required": ["choice"],
        "additionalProperties": False,
    }


STRICT = {
    "type": "json_schema",
    "json_schema": {"name": "pick", "strict": True, "schema": schema(2)},
}
CHOICES = {"structured_outputs": {"choice": [f'{{"choice": {n}}}' for n in range(3)]}}


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, {"response_format": STRICT, "max_completion_tokens": 32}),
        ({"server": "ollama"}, {"response_format": STRICT, "max_tokens": 32}),
        ({"server": "vllm"}, {"extra_body": CHOICES, "max_completion_tokens": 32}),
        (
            {"server": "llama.cpp"},
            {"response_format": {"type": "json_object", "schema": schema(2)}, "max_tokens": 32},
        ),
        (
            {"output": "json_object", "server": "ollama"},
            {"response_format": {"type": "json_object"}, "max_tokens": 32},
        ),
        ({"output": "plain"}, {"max_completion_tokens": 32}),
        (
            {"output": "logprobs"},
            {"logprobs": True, "top_logprobs": 20, "max_completion_tokens": 1},
        ),
    ],
)
def test_how_servers_are_held_to_the_form(changes: dict[str, Any], sent: dict[str, Any]) -> None:
    body = written(mention("m"), candidates("m", "x", "y"), **changes).request.body
    assert body.pop("messages")
    assert body == {"model": "m-1", "temperature": 0.0, "seed": 43, **sent}


@pytest.mark.parametrize(
    "changes",
    [{"shown_candidates": 1000}, {"shown_candidates": 21, "output": "logprobs"}],
)
def test_a_number_of_candidates_that_no_server_takes(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"shown_candidates(.|\n)*than or equal|at most 20"):
        RankParams(**changes)


def test_a_question_shrinks_to_the_mention_and_then_loses_candidates() -> None:
    about = mention("m", "one two three four five six Ada seven eight nine ten eleven twelve")
    group = candidates("m", *"pqrstuvw")
    writing = writer(order="retrieval")
    question: Question | None = writing.question(about, group)
    seen = []
    while question is not None:
        seen.append((question.context, "".join(shown(question))))
        assert f"<text>{question.context}</text>" in last_message(question)
        question = writing.shorter(question)
    assert seen == [
        (about.context, "pqrstuvw"),
        ("…four five six Ada seven eight…", "pqrstuvw"),
        ("…six Ada…", "pqrstuvw"),
        ("Ada…", "pqrstuvw"),
        ("", "pqrstuvw"),
        ("", "pqrs"),
        ("", "pq"),
    ]


def drawn(folder: Path, name: str, side: int = 20) -> Mention:
    """A mention whose image of side × side/2 pixels lies in the folder."""
    Image.effect_noise((side, side // 2), 60).save(folder / name)
    return replace(mention("m", "Ada sang"), image=name)


def image_of(question: Question) -> tuple[str, Image.Image]:
    text, part = question.request.body["messages"][-1]["content"]
    assert text["type"] == "text"
    assert text["text"].startswith("<text>Ada sang</text>")
    head, _, content = part["image_url"]["url"].partition(";base64,")
    return head, Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "png"), ("a.jpg", "jpeg"), ("a.webp", "webp"), ("a.bmp", "jpeg")]
)
def test_a_small_image_goes_as_it_is_if_models_know_its_format(
    tmp_path: Path, name: str, kind: str
) -> None:
    question = written(drawn(tmp_path, name), candidates("m", "x", "y"), image_folder=tmp_path)
    head, image = image_of(question)
    assert question.image == "attached"
    assert head == f"data:image/{kind}"
    assert image.size == (20, 10)
    assert "image that was published with it" in question.request.body["messages"][0]["content"]


@pytest.mark.parametrize("server", ["openai", "vllm"])
def test_a_large_image_is_scaled_down_and_only_openai_is_told_the_detail(
    tmp_path: Path, server: str
) -> None:
    about = drawn(tmp_path, "a.png", 600)
    question = written(about, candidates("m", "x", "y"), tmp_path, server=server)
    head, image = image_of(question)
    assert (head, image.size) == ("data:image/jpeg", (512, 256))
    part = question.request.body["messages"][-1]["content"][1]
    assert ("detail" in part["image_url"]) == (server == "openai")


def test_what_is_clear_is_sent_as_white(tmp_path: Path) -> None:
    Image.new("RGBA", (600, 600), (0, 0, 0, 0)).save(tmp_path / "a.png")
    about = replace(mention("m", "Ada sang"), image="a.png")
    _, image = image_of(written(about, candidates("m", "x", "y"), tmp_path))
    assert image.getpixel((256, 256)) == (255, 255, 255)


def test_without_a_usable_image_the_text_goes_alone_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmoe.descriptions.prompting.question._MAX_BYTES", 1000)
    large, none = drawn(tmp_path, "a.png", 200), mention("n", "Ada sang")
    broken, gone = replace(large, image="b.png"), replace(large, image="c.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(content[: len(content) // 2])
    group = {"m": candidates("m", "x", "y"), "n": candidates("n", "x", "y")}
    writing = writer(tmp_path)
    questions = [
        writing.question(about, group[about.mention_id]) for about in (large, none, broken, gone)
    ]
    reasons = ["too large", "no image", "can't be read", "file is missing"]
    assert [question.image for question in questions] == reasons
    assert len({q.request.key for q in questions}) == 1
    assert isinstance(questions[0].request.body["messages"][-1]["content"], str)
