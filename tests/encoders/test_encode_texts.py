"""A table of texts becomes one row of features a text, in the table's order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.config.encode import EncodeParams
from mmoe.encoders.encode import EncodeSummary, encode_in_length_order, encode_texts
from mmoe.encoders.encoder import Encoded, Encoder
from mmoe.encoders.layout import find_focus
from mmoe.errors import FeatureStoreError
from mmoe.features.store import FeatureTable, read_features
from mmoe.records import TextInput, write_records

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


def run(
    folder: Path, rows: Sequence[TextInput], params: EncodeParams, encoder: Encoder, around: bool
) -> tuple[EncodeSummary, FeatureTable]:
    write_records(folder / "in.parquet", TextInput, rows)
    out = folder / "out"
    summary = encode_texts(
        folder / "in.parquet", out, folder / "work", params, encoder, around_name=around
    )
    return summary, read_features(out)


def tokens(encoder: Encoder, text: str) -> list[int]:
    ids: list[int] = encoder.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def laid_out(encoder: Encoder, params: EncodeParams, row: TextInput, around: bool) -> list[int]:
    """What should be encoded of one row."""
    body = encoder.tokenizer(row.body, add_special_tokens=False, return_offsets_mapping=True)
    focus = find_focus(row.name, row.body, body["offset_mapping"]) if around else None
    layout = encoder.layout(params.max_text_length, params.description_budget)
    description = tokens(encoder, row.description or "")
    return layout.whole(tokens(encoder, row.name), body["input_ids"], description, focus)


def close(ours: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(ours.float(), wanted.float(), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_row_holds_its_own_text(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder], kind: str, around: bool
) -> None:
    encoder = encoders[kind]
    summary, table = run(tmp_path, ROWS, params, encoder, around)
    assert summary == EncodeSummary(len(ROWS), 0)
    assert table.ids == tuple(row.id for row in ROWS)
    assert table.present.all()
    layout = encoder.layout(params.max_text_length, params.description_budget)
    for i, row in enumerate(ROWS):
        alone = encoder.encode_texts([laid_out(encoder, params, row, around)])
        states = table.states_TC[table.offsets[i] : table.offsets[i + 1]]
        close(states, alone.states_BLC[0, : int(alone.lengths_B[0])])
        close(table.pooled_NP[i], alone.pooled_BP[0])
        name = encoder.encode_texts([layout.name_alone(tokens(encoder, row.name))])
        assert table.name_pooled_NP is not None
        close(table.name_pooled_NP[i], name.pooled_BP[0])


def test_mentions_keep_the_words_around_their_name(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]
) -> None:
    rows = [TextInput("m", "jaguar", f"{CAR}jaguar {RIVER}", None)]
    rows += [TextInput("n", "jaguar", f"{CAR}{CAR}jaguar {RIVER}", None)]
    _, head = run(tmp_path / "head", rows, params, encoders["bert"], False)
    assert torch.equal(head.pooled_NP[0], head.pooled_NP[1])  # the cut-off part differs only
    _, around = run(tmp_path / "around", rows, params, encoders["bert"], True)
    assert not torch.equal(around.pooled_NP[0], head.pooled_NP[0])


def test_a_description_is_seen_behind_a_long_body(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]
) -> None:
    rows = [TextInput(text, "car", "car " * 90, text) for text in ("the river", "the jaguar")]
    _, table = run(tmp_path, rows, params, encoders["clip"], True)
    assert not torch.equal(table.pooled_NP[0], table.pooled_NP[1])


def test_a_text_that_spells_the_end_token_is_read_to_its_end(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]
) -> None:
    encoder = encoders["sample"]
    end = encoder.tokenizer.eos_token
    wide = params.model_copy(update={"max_text_length": 60})
    rows = [TextInput(last, "car", f"car {end} {last}", None) for last in ("river", "jaguar")]
    _, table = run(tmp_path, rows, wide, encoder, False)
    assert not torch.equal(table.pooled_NP[0], table.pooled_NP[1])


def test_two_runs_write_the_same_bytes(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]
) -> None:
    for name in ("one", "two"):
        run(tmp_path / name, ROWS, params, encoders["clip"], True)
    one, two = (sorted((tmp_path / name / "out").iterdir()) for name in ("one", "two"))
    assert [path.name for path in one] == ["shard-00000.parquet", "shard-00001.parquet"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_an_empty_table_is_an_empty_store(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]
) -> None:
    summary, table = run(tmp_path, [], params, encoders["clip"], True)
    assert summary == EncodeSummary(0, 0)
    assert len(table) == 0
    assert table.states_TC.shape == (0, 16)
    assert table.pooled_NP.shape == (0, 12)
    assert table.name_pooled_NP is not None
    assert table.name_pooled_NP.shape == (0, 12)


def test_the_store_says_what_made_it(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]
) -> None:
    _, table = run(tmp_path, ROWS, params, encoders["clip"], True)
    wanted = {**params.feature_config, "encoder": encoders["clip"].name, "joint": True}
    assert {**table.metadata, **wanted} == table.metadata
    assert table.metadata["fingerprint"] == encoders["clip"].fingerprint
    assert table.metadata["around_name"] is True


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), max_size=12), st.integers(1, 5)
)
def test_rows_come_back_as_given_although_encoded_by_length(
    texts: list[list[int]], batch_size: int
) -> None:
    echo = Echo()
    features = encode_in_length_order(echo, texts, batch_size)  # type: ignore[arg-type]
    assert [states[:, 0].tolist() for states, _ in features] == texts
    assert [pooled.tolist() for _, pooled in features] == [[sum(text), len(text)] for text in texts]
    assert all(size <= batch_size for size in echo.batches)
    assert echo.widths == sorted(echo.widths)


class Echo:
    """Gives back the token ids as states."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.widths: list[int] = []

    def encode_texts(self, texts: Sequence[Sequence[int]]) -> Encoded:
        lengths = [len(text) for text in texts]
        self.batches.append(len(texts))
        self.widths.append(max(lengths))
        padded = [[*text, *[-1] * (max(lengths) - len(text))] for text in texts]
        pooled = torch.tensor([[sum(text), len(text)] for text in texts], dtype=torch.float32)
        return Encoded(torch.tensor(padded)[..., None].float(), torch.tensor(lengths), pooled)


def test_a_value_beyond_float16_is_refused_by_name(
    tmp_path: Path,
    params: EncodeParams,
    encoders: dict[str, Encoder],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder, usual = encoders["bert"], encoders["bert"].encode_texts

    def loud(texts: Sequence[Sequence[int]]) -> Encoded:
        out = usual(texts)
        longest = out.lengths_B >= 16
        return Encoded(out.states_BLC, out.lengths_B, torch.where(longest[:, None], 1e5, 0.0))

    monkeypatch.setattr(encoder, "encode_texts", loud)
    rows = [TextInput("short", "car", "", None), TextInput("long", "car", "the " * 30, None)]
    with pytest.raises(FeatureStoreError, match=r"pooled of long: .* not finite"):
        run(tmp_path, rows, params, encoder, False)
    assert not (tmp_path / "out").exists()


def test_states_are_stored_as_float16(
    tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]
) -> None:
    _, table = run(tmp_path, ROWS, params, encoders["siglip"], False)
    assert table.states_TC.dtype == table.pooled_NP.dtype == torch.float16
    assert np.array_equal(table.lengths, np.diff(table.offsets))
    assert int(table.lengths.max()) == params.max_text_length
