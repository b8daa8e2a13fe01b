"""Lengths before cutting are those of texts laid out without a limit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmoe.encoders import lengths
from mmoe.encoders.base import Encoder
from mmoe.encoders.lengths import token_lengths
from mmoe.encoders.rows import encode_text_rows
from mmoe.records import TextInput

from tests.encoders.conftest import SAMPLE_CLIP

ROWS = [
    TextInput("m1", "Java", "The ferry to Java left at dawn.", "island of Indonesia"),
    TextInput("m2", "Java", "", None),
    TextInput("m3", "Jaguar", "<|endoftext|> is text " * 3, ""),
]


def test_lengths_are_those_of_the_uncut_layout(
    encoders: dict[str, Encoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lengths, "CHUNK", 2)
    encoder = encoders["sample"]
    rows = encode_text_rows(encoder, ROWS, encoder.text_limit, 4, 8, around_name=False)
    whole = [0 if row.tokens is None else len(row.tokens) for row in rows]
    assert max(whole) < encoder.text_limit
    assert token_lengths(str(SAMPLE_CLIP), ROWS).tolist() == whole
    long = replace(ROWS[2], body=ROWS[2].body * 30)
    assert token_lengths(str(SAMPLE_CLIP), [long]) > 100
    assert token_lengths(str(SAMPLE_CLIP), []).shape == (0,)
