"""Prompt files: by name and path, their versions, and mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.descriptions.prompting.prompts import load_prompt, prompt_names
from mmoe.errors import RankingError

from tests.descriptions.prompting.written import last_message, written
from tests.descriptions.rows import candidates, mention

OWN = """--- system ---
Pick.
--- user ---
{{ surface_form }} in {{ text }}: {% for c in candidates %}{{ label(loop.index) }}={{ c.label }}; {% endfor %}
{{ answer(1) }}
"""


@pytest.mark.parametrize("output", ["schema", "json_object", "plain", "logprobs"])
@pytest.mark.parametrize("name", prompt_names())
def test_a_prompt_shows_mention_and_candidates(name: str, output: str) -> None:
    question = written(
        mention("m", "Ada wrote notes."),
        candidates("m", "a bridge", ""),
        prompt=name,
        order="retrieval",
        output=output,
    )
    assert last_message(question).splitlines()[:6] == [
        "<text>Ada wrote notes.</text>",
        "<name>Ada</name>",
        "<candidates>",
        "1. Ada: a bridge",
        "2. Ada: (no description)",
        "</candidates>",
    ]
    messages = question.request.body["messages"]
    # Servers that hold an answer to JSON refuse questions that do not name it.
    assert ("JSON" in messages[0]["content"]) == (output != "logprobs")
    assert messages[0]["role"] == "system"


@pytest.mark.parametrize("output", ["schema", "logprobs"])
def test_examples_are_answered_in_the_form_that_is_asked_for(output: str) -> None:
    question = written(
        mention("m"), candidates("m", *"abcdefghijk"), prompt="few_shot", output=output
    )
    turns = question.request.body["messages"]
    answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    letters = ["C", "A", "0"]
    objects = ['{"choice": 3}', '{"choice": 1}', '{"choice": 0}']
    assert answers == (letters if output == "logprobs" else objects)
    assert ("C. Mercury" in turns[1]["content"]) == (output == "logprobs")
    assert [turn["role"] for turn in turns] == ["system", *["user", "assistant"] * 3, "user"]


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "own.jinja"
    file.write_text(OWN)
    question = written(
        mention("m", "Ada spoke"), candidates("m", "x", "y"), prompt=str(file), order="retrieval"
    )
    assert question.request.body["messages"] == [
        {"role": "system", "content": "Pick."},
        {"role": "user", "content": 'Ada in Ada spoke: 1=Ada; 2=Ada; {"choice": 1}'},
    ]


def test_the_version_follows_what_a_file_says(tmp_path: Path) -> None:
    file, part = tmp_path / "own.jinja", tmp_path / "part.jinja"
    file.write_text(OWN + "{% include 'part.jinja' %}")
    part.write_text("one")
    version = load_prompt(str(file)).version
    assert version == load_prompt(str(file)).version
    part.write_text("two")
    assert load_prompt(str(file)).version != version
    part.write_text("one")
    (tmp_path / "other.jinja").write_text(file.read_text())
    assert load_prompt(str(tmp_path / "other.jinja")).version == version
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert load_prompt(str(file)).version == version
    assert load_prompt("zero_shot").version != load_prompt("few_shot").version


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Pick.", "its last message must begin with --- user ---"),
        ("--- user ---\n{{ surface_form", "unexpected end of template"),
        ("--- user ---\n{{ wrod }}", "'wrod' is undefined"),
        ("--- user ---\n{% include 'none.jinja' %}", "none.jinja"),
    ],
)
def test_a_mistake_in_a_prompt_is_named(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "own.jinja"
    file.write_text(text)
    with pytest.raises(RankingError, match=r"rank\.prompt: .*own\.jinja: ") as caught:
        written(mention("m"), candidates("m", "x", "y"), prompt=str(file))
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
