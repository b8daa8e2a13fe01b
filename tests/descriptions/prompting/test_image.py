"""The mention's image beside the text."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmoe.descriptions.prompting.question import Question
from mmoe.records import Mention

from tests.descriptions.prompting.written import writer, written
from tests.descriptions.rows import candidates, mention


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
