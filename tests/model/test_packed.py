"""Packed sequences behave as a list of matrices does."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.model.packed import Packed, packed_positions, segment_mean

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=6)
FEW = settings(deadline=None, max_examples=25)


def sequences(lengths: list[int], width: int = 3) -> list[Tensor]:
    return [torch.randn(length, width) for length in lengths]


def packed(parts: list[Tensor]) -> Packed:
    return Packed(torch.cat(parts), torch.tensor([len(part) for part in parts]))


def assert_holds(found: Packed, wanted: list[Tensor]) -> None:
    assert found.lengths_B.tolist() == [len(part) for part in wanted]
    assert torch.equal(found.values_TC, torch.cat(wanted))


@given(LENGTHS)
@FEW
def test_padding_puts_zeros_behind_each_end(lengths: list[int]) -> None:
    parts = sequences(lengths)
    padded, mask = packed(parts).padded()
    assert padded.shape == (len(parts), max(lengths), 3)
    for row, part in enumerate(parts):
        assert torch.equal(padded[row, : len(part)], part)
        assert not padded[row, len(part) :].any()
        assert mask[row].tolist() == [i < len(part) for i in range(max(lengths))]


@given(LENGTHS, st.data())
@FEW
def test_selecting_rows_in_any_order_with_repeats(lengths: list[int], data: st.DataObject) -> None:
    parts = sequences(lengths)
    rows = data.draw(st.lists(st.integers(0, len(parts) - 1), min_size=1, max_size=8))
    assert_holds(packed(parts).select(torch.tensor(rows)), [parts[row] for row in rows])


def test_selecting_nothing_is_empty() -> None:
    nothing = packed(sequences([2, 3])).select(torch.empty(0, dtype=torch.int64))
    assert len(nothing) == 0
    assert nothing.values_TC.shape == (0, 3)


@given(LENGTHS)
@FEW
def test_the_mean_is_of_the_own_tokens(lengths: list[int]) -> None:
    parts = sequences(lengths)
    torch.testing.assert_close(packed(parts).mean(), torch.stack([part.mean(0) for part in parts]))


@given(LENGTHS)
@FEW
def test_the_mean_of_any_tensor_with_an_entry_a_token(lengths: list[int]) -> None:
    like = packed(sequences(lengths))
    values = torch.randn(sum(lengths), 2, 4)
    wanted = torch.stack([part.mean(0) for part in torch.split(values, lengths)])
    torch.testing.assert_close(segment_mean(values, like), wanted)


@given(st.lists(LENGTHS, min_size=1, max_size=3))
@FEW
def test_concatenating_keeps_the_order(batches: list[list[int]]) -> None:
    parts = [sequences(lengths) for lengths in batches]
    joined = Packed.concatenate([packed(part) for part in parts])
    assert_holds(joined, [sequence for part in parts for sequence in part])


@given(LENGTHS, st.integers(1, 7))
@FEW
def test_parts_put_together_are_the_whole(lengths: list[int], size: int) -> None:
    parts = sequences(lengths)
    split = packed(parts).split(size)
    assert all(len(part) <= size for part in split)
    assert_holds(Packed.concatenate(split), parts)


@given(LENGTHS)
@FEW
def test_rows_and_starts_point_at_each_sequence(lengths: list[int]) -> None:
    like = packed(sequences(lengths))
    assert like.rows_T.tolist() == [row for row, n in enumerate(lengths) for _ in range(n)]
    assert like.starts_B.tolist() == [sum(lengths[:row]) for row in range(len(lengths))]


def test_positions_skip_empty_sequences() -> None:
    positions = packed_positions(torch.tensor([7, 3, 0]), torch.tensor([2, 0, 3]))
    assert positions.tolist() == [7, 8, 0, 1, 2]


def test_other_values_keep_the_lengths_and_lengths_count_the_sequences() -> None:
    like = packed(sequences([1, 4]))
    other = like.with_values(torch.ones(5, 2))
    assert len(other) == 2
    assert other.mean().tolist() == [[1.0, 1.0], [1.0, 1.0]]
