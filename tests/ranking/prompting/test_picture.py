"""The mention's picture beside the text."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmoe.ranking.prompting import questions_for
from mmoe.ranking.prompting.question import Question
from mmoe.records import Mention

from tests.ranking.prompting.asked import asked, settings
from tests.ranking.rows import candidates, mention


def drawn(folder: Path, name: str, side: int = 20) -> Mention:
    """A mention whose picture of side × side/2 pixels lies in the folder."""
    Image.effect_noise((side, side // 2), 60).save(folder / name)
    return replace(mention("m", "Ada sang"), picture=name)


def picture_of(question: Question) -> tuple[str, Image.Image]:
    text, part = question.request.body["messages"][-1]["content"]
    assert text["type"] == "text"
    assert text["text"].startswith("<text>Ada sang</text>")
    head, _, content = part["image_url"]["url"].partition(";base64,")
    return head, Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "png"), ("a.jpg", "jpeg"), ("a.webp", "webp"), ("a.bmp", "jpeg")]
)
def test_a_small_picture_goes_as_it_is_if_models_know_its_format(
    tmp_path: Path, name: str, kind: str
) -> None:
    question = asked(drawn(tmp_path, name), candidates("m", "x", "y"), picture_folder=tmp_path)
    head, picture = picture_of(question)
    assert question.picture == "attached"
    assert head == f"data:image/{kind}"
    assert picture.size == (20, 10)
    assert "picture that was published with it" in question.request.body["messages"][0]["content"]


def test_a_large_picture_is_scaled_down(tmp_path: Path) -> None:
    about = drawn(tmp_path, "a.png", 600)
    question = asked(about, candidates("m", "x", "y"), picture_folder=tmp_path, picture_side=64)
    head, picture = picture_of(question)
    assert (head, picture.size) == ("data:image/jpeg", (64, 32))


@pytest.mark.parametrize("server", ["openai", "vllm"])
def test_only_openai_is_told_the_detail(tmp_path: Path, server: str) -> None:
    about = drawn(tmp_path, "a.png")
    question = asked(about, candidates("m", "x", "y"), picture_folder=tmp_path, server=server)
    part = question.request.body["messages"][-1]["content"][1]
    assert ("detail" in part["image_url"]) == (server == "openai")


def test_without_a_usable_picture_the_text_goes_alone_and_says_why(tmp_path: Path) -> None:
    large, none = drawn(tmp_path, "a.png", 200), mention("n", "Ada sang")
    broken, gone = replace(large, picture="b.png"), replace(large, picture="c.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(content[: len(content) // 2])
    asking = settings(picture_folder=tmp_path, max_picture_bytes=1000)
    group = {"m": candidates("m", "x", "y"), "n": candidates("n", "x", "y")}
    questions = questions_for([large, none, broken, gone], group, asking)
    assert [q.picture for q in questions] == [
        "too large",
        "no picture",
        "can't be read",
        "file is missing",
    ]
    assert len({q.request.key for q in questions}) == 1
    assert isinstance(questions[0].request.body["messages"][-1]["content"], str)


def test_no_picture_is_sent_unless_asked_for(tmp_path: Path) -> None:
    question = asked(drawn(tmp_path, "a.png"), candidates("m", "x", "y"))
    assert question.picture == "no picture"
    assert isinstance(question.request.body["messages"][-1]["content"], str)


def test_mentions_of_a_sentence_share_one_picture_in_memory(tmp_path: Path) -> None:
    first = drawn(tmp_path, "a.png")
    second = replace(first, mention_id="n", word="Eve")
    groups = {name: candidates(name, "x", "y") for name in "mn"}
    bodies = [
        question.request.body
        for question in questions_for([first, second], groups, settings(picture_folder=tmp_path))
    ]
    one, other = (body["messages"][-1]["content"][1]["image_url"]["url"] for body in bodies)
    assert one is other
