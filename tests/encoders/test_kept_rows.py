"""Only what is new is encoded; what is kept of the last run is what encoding gives, to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmoe.config.encode import EncodeParams
from mmoe.encoders import encode as encoding
from mmoe.encoders.encode import EncodeSummary, encode_in_length_order, encode_texts
from mmoe.encoders.encoder import Encoder
from mmoe.records import TextInput, write_records

KINDS = ("sample", "clip", "siglip", "bert")
WORDS = ("the", "river", "of", "car", "jaguar", "runs")
ROWS = [TextInput(f"m{i}", WORDS[i % 5], f"{'the river ' * (i % 4)}runs", None) for i in range(10)]


@dataclass(frozen=True)
class Bench:
    """A folder in which a part is encoded again and again."""

    folder: Path
    params: EncodeParams
    encoder: Encoder

    def run(self, rows: Sequence[TextInput], **changes: object) -> EncodeSummary:
        table = self.folder / "in.parquet"
        write_records(table, TextInput, rows)
        params = self.params.model_copy(update=changes)
        out, work = self.folder / "out", self.folder / "work"
        return encode_texts(table, out, work, params, self.encoder, around_name=True)

    def shards(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.folder / "out").iterdir())}

    def anew(self, rows: Sequence[TextInput]) -> dict[str, bytes]:
        """The shards of a run that has nothing to start from."""
        other = replace(self, folder=self.folder / "anew")
        other.folder.mkdir(exist_ok=True)
        assert other.run(rows).num_reused == 0
        return other.shards()


@pytest.fixture
def bench(tmp_path: Path, params: EncodeParams, encoders: dict[str, Encoder]) -> Bench:
    return Bench(tmp_path, params, encoders["sample"])


def described(row: TextInput) -> TextInput:
    return replace(row, description="a car of the river")


def test_only_the_texts_with_another_description_are_encoded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench.run(ROWS) == EncodeSummary(10, 0, 0)
    changed = [described(row) if i in (2, 7) else row for i, row in enumerate(ROWS)]
    laid_out: list[str] = []
    plain = encoding._laid_out

    def noting(chunk: Sequence[TextInput], *rest: object) -> object:
        laid_out.extend(row.id for row in chunk)
        return plain(chunk, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(encoding, "_laid_out", noting)
        assert bench.run(changed) == EncodeSummary(10, 0, 8)
    assert laid_out == ["m2", "m7"]
    assert bench.shards() == bench.anew(changed)


def test_rows_may_come_in_another_order_and_under_other_ids(bench: Bench) -> None:
    bench.run(ROWS)
    moved = [replace(row, id=f"x{row.id}") for row in ROWS[::-1]]
    assert bench.run(moved).num_reused == 10
    assert bench.shards() == bench.anew(moved)


def test_new_rows_are_encoded_beside_kept_ones(bench: Bench) -> None:
    bench.run(ROWS[:3])
    assert bench.run(ROWS).num_reused == 3
    assert bench.shards() == bench.anew(ROWS)
    assert bench.run(ROWS[:2]).num_reused == 2
    assert bench.run([]) == EncodeSummary(0, 0, 0)


@pytest.mark.parametrize("change", [{"max_text_length": 15}, {"description_budget": 3}])
def test_other_settings_start_anew(bench: Bench, change: dict[str, object]) -> None:
    bench.run(ROWS)
    assert bench.run(ROWS, **change).num_reused == 0
    assert bench.run(ROWS, **change).num_reused == 10
    assert bench.run(ROWS).num_reused == 0  # one generation is kept


@pytest.mark.parametrize("name", ["shard-00000.parquet", "keys.json"])
def test_a_damaged_generation_only_costs_time(bench: Bench, name: str) -> None:
    bench.run(ROWS)
    [file] = (bench.folder / "work-kept").rglob(name)
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[: len(data) // 2])
    assert bench.run(ROWS).num_reused < 10
    assert bench.shards() == bench.anew(ROWS)


def test_a_generation_is_another_name_of_the_shards_and_costs_no_space(bench: Bench) -> None:
    bench.run(ROWS)
    for shard in (bench.folder / "out").iterdir():
        [kept] = (bench.folder / "work-kept").rglob(shard.name)
        assert kept.samefile(shard)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_texts_features_hang_on_nothing_but_the_text(
    kind: str, data: st.DataObject, encoders: dict[str, Encoder]
) -> None:
    encoder = encoders[kind]
    layout = encoder.layout(16, 4)
    lengths = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=30))
    texts = [
        layout.name_alone(
            encoder.tokenizer("river car " * n, add_special_tokens=False)["input_ids"]
        )
        for n in lengths
    ]
    size = data.draw(st.sampled_from([8, 13, 64]))
    together = encode_in_length_order(encoder, texts, size)
    for text, (states, pooled) in zip(texts, together, strict=True):
        [(alone, pooled_alone)] = encode_in_length_order(encoder, [text], 64)
        np.testing.assert_array_equal(states, alone)
        np.testing.assert_array_equal(pooled, pooled_alone)
