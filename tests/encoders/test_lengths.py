"""Lengths before cutting are those of texts laid out without a limit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from mmoe.encoders import lengths
from mmoe.encoders.lengths import TokenCounter
from mmoe.errors import FeatureStoreError
from mmoe.records import TextInput

CLIP = Path(__file__).parents[2] / "data/raw/sample/clip"
ROWS = [
    TextInput("m1", "Java", "The ferry to Java left at dawn.", "island of Indonesia"),
    TextInput("m2", "Java", "", None),
    TextInput("m3", "Jaguar", "<|endoftext|> is text " * 30, ""),
]


def test_lengths_are_those_of_the_uncut_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    from mmoe.encoders.registry import load_encoder

    encoder = load_encoder(str(CLIP), "cpu")
    special = encoder.layout(encoder.text_limit, 4).special

    def ids(text: str) -> list[int]:
        options = {"add_special_tokens": False, "split_special_tokens": True}
        tokens: list[int] = encoder.tokenizer(text, **options)["input_ids"]
        return tokens

    slow = [
        len(special.prefix)
        + len(special.separator)
        + len(special.suffix)
        + sum(len(ids(text)) for text in (row.name, row.body, row.description or ""))
        for row in ROWS
    ]
    monkeypatch.setattr(lengths, "CHUNK", 2)
    found = TokenCounter(str(CLIP)).lengths(ROWS)
    assert found.tolist() == slow
    assert slow[2] > 100


@pytest.mark.parametrize("content", [None, '{"model": 1}'])
def test_a_folder_that_does_not_say_all_is_left_to_transformers(
    tmp_path: Path, content: str | None
) -> None:
    shutil.copytree(CLIP, tmp_path / "clip")
    wanted = TokenCounter(str(CLIP)).lengths(ROWS)
    if content is None:
        settings = tmp_path / "clip/tokenizer_config.json"
        settings.write_text(settings.read_text().replace("CLIPTokenizer", "OtherTokenizer"))
        assert (TokenCounter(str(tmp_path / "clip")).lengths(ROWS) == wanted).all()
        return
    (tmp_path / "clip/tokenizer.json").write_text(content)
    with pytest.raises(FeatureStoreError, match=r"encode\.model = .*can't be loaded"):
        TokenCounter(str(tmp_path / "clip"))


def test_a_prompt_is_counted_where_it_stands(folders: dict[str, Path]) -> None:
    plain, asking = TokenCounter(str(folders["bert"])), TokenCounter(str(folders["cls"]))
    for of_mentions, more in ((False, 0), (True, 3)):
        found = asking.lengths(ROWS, of_mentions)
        assert (found - plain.lengths(ROWS, of_mentions)).tolist() == [more] * len(ROWS)


def test_no_texts() -> None:
    found = TokenCounter(str(CLIP)).lengths([])
    assert found.dtype == np.int64
    assert found.shape == (0,)


def test_no_such_encoder(tmp_path: Path) -> None:
    with pytest.raises(FeatureStoreError, match=r"encode\.model = .*no such folder"):
        TokenCounter(str(tmp_path / "none")).lengths(ROWS)
