"""A table of texts becomes one row of features a text, in the table's order."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmoe.encoders import encode as encoding
from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import EncodeSummary
from mmoe.encoders.layout import find_focus
from mmoe.encoders.rows import encode_text_rows
from mmoe.records import TextInput

from tests.encoders.conftest import Bench

KINDS = ("sample", "clip", "siglip", "bert")
CAR, RIVER = "of the car " * 4, "the river of " * 3
ROWS = [
    TextInput("q9", "jaguar", CAR + "jaguar " + RIVER, "a car"),
    TextInput("q1", "river", "", None),
    TextInput("q7", "", "the", "runs"),
    TextInput("q3", "the river of the car " * 4, "x y z", None),
    TextInput("q2", "car", "car " * 30, "the jaguar runs of the river"),
    TextInput("q8", "", "", None),
    TextInput("q5", "Café", "the CAFÉ", ""),
]


def tokens(encoder: Encoder, text: str) -> list[int]:
    ids: list[int] = encoder.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def laid_out(bench: Bench, row: TextInput) -> list[int]:
    """What should be encoded of one row."""
    encoder, params = bench.encoder, bench.params
    body = encoder.tokenizer(row.body, add_special_tokens=False, return_offsets_mapping=True)
    focus = find_focus(row.name, row.body, body["offset_mapping"]) if bench.around else None
    layout = encoder.layout(params.max_text_length, params.description_budget)
    description = tokens(encoder, row.description or "")
    return layout.whole(tokens(encoder, row.name), body["input_ids"], description, focus)


def close(ours: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(ours.float(), wanted.float(), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_row_holds_its_own_text(
    bench: Bench, encoders: dict[str, Encoder], kind: str, around: bool
) -> None:
    bench = replace(bench, encoder=encoders[kind], around=around)
    summary, table = bench.texts(ROWS)
    assert summary == EncodeSummary(len(ROWS))
    assert table.ids == tuple(row.id for row in ROWS)
    assert table.present.all()
    assert table.name_pooled_NP is not None
    layout = bench.encoder.layout(16, 4)
    for i, row in enumerate(ROWS):
        alone = bench.encoder.encode_texts([laid_out(bench, row)])
        close(
            table.tokens.gather(np.array([i])),
            alone.tokens_BLC[0, : int(alone.lengths_B[0])],
        )
        close(table.pooled_NP[i], alone.pooled_BP[0])
        name = bench.encoder.encode_texts([layout.name_alone(tokens(bench.encoder, row.name))])
        close(table.name_pooled_NP[i], name.pooled_BP[0])


def test_a_text_that_spells_the_end_token_is_read_to_its_end(
    bench: Bench, encoders: dict[str, Encoder]
) -> None:
    encoder = encoders["sample"]
    wide = bench.params.model_copy(update={"max_text_length": 60})
    spelled = f"car {encoder.tokenizer.eos_token}"
    rows = [TextInput(last, "car", f"{spelled} {last}", None) for last in ("river", "jaguar")]
    _, table = replace(bench, params=wide, encoder=encoder).texts(rows)
    assert not torch.equal(table.pooled_NP[0], table.pooled_NP[1])


def test_the_store_says_what_made_it(bench: Bench) -> None:
    wanted = {**bench.params.feature_config, "encoder": bench.encoder.name, "joint": True}
    wanted |= {"fingerprint": bench.encoder.fingerprint, "around_name": True}
    metadata = bench.texts(ROWS)[1].metadata
    assert {**metadata, **wanted} == metadata
    assert not {"torch", "batch_size", "shard_rows", "device"} & metadata.keys()


def test_only_the_texts_with_another_description_are_encoded(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench.texts(ROWS)[0] == EncodeSummary(7, 0)
    changed = [replace(row, description="x") if i in (2, 5) else row for i, row in enumerate(ROWS)]
    encoded: list[str] = []
    usual = encode_text_rows

    def noting(encoder: Encoder, rows: Sequence[TextInput], *rest: object) -> object:
        encoded.extend(row.id for row in rows)
        return usual(encoder, rows, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(encoding, "encode_text_rows", noting)
        assert bench.texts(changed)[0] == EncodeSummary(7, 5)
    assert encoded == ["q7", "q8"]
    from_nothing = replace(bench, folder=tmp_path / "from nothing")
    assert from_nothing.texts(changed)[0].num_kept == 0
    assert bench.shards() == from_nothing.shards()


def test_the_code_that_decides_the_features_is_known() -> None:
    """Kept rows of other code are not used: every module that the encoding in memory reaches counts."""
    reached = {name for name in sys.modules if name.startswith("mmoe.encoders.")}
    known = {module.__name__ for module in encoding.DECIDING}
    # The others decide what is encoded, and where.
    others = {"convert", "encode", "registry", "source", "lengths"}
    assert reached - known <= {f"mmoe.encoders.{name}" for name in others}
