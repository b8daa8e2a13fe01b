"""An index in files equals the one in memory, is opened again, and another's is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from mmoe.errors import LinkingError
from mmoe.linking import index as index_module
from mmoe.linking.data import LinkingData
from mmoe.linking.index import EntityIndex
from mmoe.linking.index_files import MANIFEST, is_index_of, read_index, write_index
from mmoe.linking.whole_kb import build_index, rank_records
from mmoe.model.encoded import EncodedEntities, EncodedUnit
from mmoe.model.features import SideFeatures
from mmoe.model.packed import Packed

from tests.stores import CPU, Toy, open_toy
from tests.training.runs import new_matcher


def assert_same(found: EncodedEntities, wanted: EncodedEntities) -> None:
    assert list(found) == list(wanted)
    for name, unit in wanted.items():
        ours = found[name]
        assert torch.equal(ours.inner_BI, unit.inner_BI)
        assert list(ours.columns) == list(unit.columns)
        for key, column in unit.columns.items():
            other = ours.columns[key]
            if isinstance(column, Packed):
                assert isinstance(other, Packed)
                assert torch.equal(other.values_TC, column.values_TC)
                assert torch.equal(other.lengths_B, column.lengths_B)
            else:
                assert isinstance(other, torch.Tensor)
                assert torch.equal(other, column)
        if unit.sparse_BV is not None:
            assert (ours.sparse_BV != unit.sparse_BV).nnz == 0
            assert ours.sparse_BV.shape == unit.sparse_BV.shape


@pytest.fixture
def data(tmp_path: Path) -> LinkingData:
    return open_toy(tmp_path / "store", Toy(twins=2))


@pytest.mark.parametrize("encoding_batch", [None, 5])
def test_an_index_in_files_gives_the_same_ranks(
    data: LinkingData, tmp_path: Path, encoding_batch: int | None
) -> None:
    matcher = new_matcher(data, dropout=0.0).eval()
    matcher.encoding_batch = encoding_batch
    in_memory = build_index(matcher, data.entity_side, CPU)
    in_files = build_index(matcher, data.entity_side, CPU, folder=tmp_path / "index", made_of="a")
    assert_same(in_files.entities, in_memory.entities)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "store"]
    test = data.linkable("test")
    ranks = [
        rank_records(index, data.mention_side, test, data.gold_of(test), CPU, top_n=4)
        for index in (in_files, in_memory)
    ]
    assert np.array_equal(ranks[0].ranks.pessimistic, ranks[1].ranks.pessimistic)
    assert np.array_equal(ranks[0].best.top_Bn, ranks[1].best.top_Bn)


def test_it_is_opened_again_and_built_anew_for_another_matcher(
    data: LinkingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matcher, folder = new_matcher(data, dropout=0.0).eval(), tmp_path / "index"
    built, encode = list[int](), matcher.encode_entities

    def counted(batch: SideFeatures) -> EncodedEntities:
        built.append(len(batch))
        return encode(batch)

    monkeypatch.setattr(matcher, "encode_entities", counted)
    for made_of, number in (("a", 1), ("a", 1), ("b", 2), ("b", 2), ("", 3), ("", 4)):
        build_index(matcher, data.entity_side, CPU, folder=folder, made_of=made_of)
        assert len(built) == number
    with pytest.raises(LinkingError, match=f"{folder}: holds no index of this matcher"):
        EntityIndex.open(folder, "a", matcher)


def test_a_broken_index_is_named_and_built_anew(
    data: LinkingData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matcher, folder = new_matcher(data, dropout=0.0).eval(), tmp_path / "index"
    built = build_index(matcher, data.entity_side, CPU, folder=folder, made_of="a")
    wanted = {path.name: path.read_bytes() for path in folder.iterdir()}
    del built
    for name, content in wanted.items():
        if not content:
            continue
        broken = bytearray(content)
        broken[len(content) // 2] ^= 1
        (folder / name).unlink()  # some of it may still be mapped
        (folder / name).write_bytes(bytes(broken))
        with pytest.raises(LinkingError):
            EntityIndex.open(folder, "a", matcher)
        build_index(matcher, data.entity_side, CPU, folder=folder, made_of="a")
        said = capsys.readouterr().err
        assert name == MANIFEST or said.startswith(f"{folder / name}: not as it was written")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == wanted


def test_a_write_that_fails_leaves_the_index_before_it(data: LinkingData, tmp_path: Path) -> None:
    matcher, folder = new_matcher(data, dropout=0.0).eval(), tmp_path / "index"
    build_index(matcher, data.entity_side, CPU, folder=folder, made_of="a")

    def batches() -> Iterator[SideFeatures]:
        yield data.entity_side.gather(torch.arange(3), CPU)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        EntityIndex.build_in(folder, "b", matcher, batches())
    assert is_index_of(folder, "a")
    assert len(EntityIndex.open(folder, "a", matcher)) == len(data.entities)


def test_sparse_vectors_and_empty_columns_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts: list[EncodedEntities] = []
    for size in (3, 1, 0, 4):
        dense = rng.random((size, 6)) * (rng.random((size, 6)) < 0.4)
        tokens = Packed(torch.empty(0, 2), torch.zeros(size, dtype=torch.int64))
        unit = EncodedUnit(torch.rand(size, 5), {"t": tokens}, scipy.sparse.csr_array(dense))
        parts.append({"words": unit, "bare": EncodedUnit(torch.rand(size, 0))})
    write_index(tmp_path, parts, "it")
    found = read_index(tmp_path, "it")
    whole = scipy.sparse.vstack([part["words"].sparse_BV for part in parts], format="csr")
    inner = torch.cat([part["words"].inner_BI for part in parts])
    tokens = Packed(torch.empty(0, 2), torch.zeros(8, dtype=torch.int64))
    assert_same(
        found,
        {"words": EncodedUnit(inner, {"t": tokens}, whole), "bare": EncodedUnit(torch.rand(8, 0))},
    )
    assert (found["words"].part(2, 5).sparse_BV != whole[2:5]).nnz == 0


@pytest.mark.parametrize("pairs", [1, 5, 1000])
def test_bounds_in_blocks_are_those_of_all(
    data: LinkingData, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    matcher = new_matcher(data, dropout=0.0).eval()
    index = build_index(matcher, data.entity_side, CPU)
    mentions = data.mention_side.gather(torch.arange(3), CPU)
    monkeypatch.setitem(index_module.BOUND_PAIRS, "cpu", pairs)
    with torch.inference_mode():
        encoded = matcher.encode_mentions(mentions)
        for found, wanted in zip(
            index.bounds(encoded), matcher.quick_bounds(encoded, index.entities), strict=True
        ):
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
