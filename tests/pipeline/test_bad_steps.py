"""Files between the stages that are broken or belong to other parameters: one line, nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.layout import PARTS, Layout
from tests.imports import STAGES
from tests.pipeline.project import DONE, arguments_of, contents, one_line
from tests.pipeline.tiny import write_params

PARAMS = Path("params.yaml")
at = Layout("tiny")
READ_FIRST = {
    "retrieve": at.mentions,
    "rank": at.candidates,
    "audit": at.images,
    "encode": at.inputs("mention_text"),
    "baselines": at.entities,
    "train": at.mentions,
    "evaluate": at.mentions,
    "report": at.descriptions,
}


def cut(path: Path) -> None:
    """Leaves the file's first half, as a full disk or a killed copy does."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("stage", READ_FIRST)
def test_a_truncated_table_is_named_with_the_remedy(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = READ_FIRST[stage]
    cut(path)
    before = contents(*DONE)
    line = one_line(capsys, stage, *arguments_of(stage))
    assert line.startswith(f"{path}: not a whole Parquet file (")
    assert line.endswith("; delete it and run dvc repro")
    assert contents(*DONE) == before


@pytest.mark.parametrize("stage", READ_FIRST)
def test_a_missing_table_names_the_remedy(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = READ_FIRST[stage]
    path.unlink()
    line = one_line(capsys, stage, *arguments_of(stage))
    assert line == f"{path}: no such file; run the stage that writes it (dvc repro)"


def shard(part: str) -> Path:
    return at.features / part / "shard-00000.parquet"


READERS = [
    *((s, p) for s in ("baselines", "train", "evaluate") for p in PARTS if p != "ablation_text"),
    *(("benefit", part) for part in PARTS if part != "mention_text"),
]


@pytest.mark.parametrize(("stage", "part"), READERS)
def test_a_truncated_shard_is_named(
    stage: str, part: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut(shard(part))
    line = one_line(capsys, stage, "tiny")
    assert line.startswith(f"{shard(part)}: ")
    assert "dvc repro" in line


@pytest.mark.parametrize("stage", ["baselines", "train", "evaluate", "benefit"])
def test_features_that_were_never_made(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(at.features / "entity_text")
    line = one_line(capsys, stage, "tiny")
    assert line == f"{at.features}/entity_text: holds no feature shards; run dvc repro to encode"


@pytest.mark.parametrize("stage", ["baselines", "train", "evaluate"])
@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("model", "openai/clip-vit-base-patch32", "encoder = 'data/raw/sample/clip'"),
        ("max_text_length", 40, "max_text_length = 50"),
        ("description_budget", 0, "description_budget = 16"),
        ("precision", "bfloat16", "precision = 'float32'"),
    ],
)
def test_features_of_other_settings_are_refused(
    stage: str,
    key: str,
    value: object,
    found: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_params(PARAMS, encode={key: value})
    before = contents(*DONE)
    line = one_line(capsys, stage, "tiny")
    assert line == (
        f"{at.features}/mention_text: made with {found}, params.yaml says {value!r}; run dvc repro"
    )
    assert contents(*DONE) == before


@pytest.mark.parametrize(
    ("section", "key", "value", "old"),
    [
        ("model", "embed_dim", 32, 16),
        ("model", "projection", "linear", "smoe"),
        ("moe", "num_experts", 5, 4),
        ("moe", "top_k", 2, 3),
    ],
)
def test_a_checkpoint_of_another_shape_is_refused(
    section: str,
    key: str,
    value: object,
    old: object,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_params(PARAMS, **{section: {key: value}})
    before = contents(*DONE)
    line = one_line(capsys, "evaluate", "tiny")
    knob = f"{section}.{key}"
    assert line == (
        f"{at.model}/matcher.safetensors: trained with {knob} = {old!r}, now {knob} = {value!r}; "
        "run dvc repro to train again"
    )
    assert contents(*DONE) == before


@pytest.mark.parametrize("name", ["matcher", "untrained"])
def test_a_truncated_or_missing_checkpoint_is_named(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = at.model / f"{name}.safetensors"
    cut(path)
    before = contents(*DONE)
    assert one_line(capsys, "evaluate", "tiny").startswith(f"{path}: not a whole safetensors file")
    path.unlink()
    wanted = f"{path}: no such file; run dvc repro to train"
    assert one_line(capsys, "evaluate", "tiny") == wanted
    assert contents(*DONE).items() <= before.items()


@pytest.mark.parametrize("name", ["metrics.json", "baselines.json"])
def test_broken_metrics_are_named(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (at.report / name).write_text('{"mrr": ')
    assert one_line(capsys, "report", "tiny").startswith(f"{at.report / name}: not valid JSON at")


def test_an_encoder_that_is_nowhere_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(PARAMS, encode={"model": "data/raw/sample/no-clip"})
    before = contents(*DONE)
    assert "data/raw/sample/no-clip" in one_line(capsys, "encode", "tiny", "entity_text")
    assert contents(*DONE) == before


def test_an_unknown_part_gets_the_list(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = one_line(capsys, "encode", "tiny", "texts")
    assert line == f"texts: no such part; choose one of {', '.join(PARTS)}"


@pytest.mark.parametrize("stage", STAGES)
def test_an_unknown_data_set_is_named(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(*DONE)
    line = one_line(capsys, stage, *arguments_of(stage, "wikimel"))
    assert "wikimel" in line
    assert "no such f" in line
    assert contents(*DONE) == before


def test_images_that_the_features_lack_are_told_at_trains_entry(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a text-only encoder leaves them: empty image parts of width zero."""
    import pyarrow.parquet as pq

    for part in ("mention_image", "entity_image"):
        table = pq.read_table(shard(part)).slice(0, 0)
        metadata = dict(table.schema.metadata)
        stored = json.loads(metadata[b"mmoe.metadata"])
        stored["widths"] = dict.fromkeys(stored["widths"], 0)
        metadata[b"mmoe.metadata"] = json.dumps(stored).encode()
        pq.write_table(table.replace_schema_metadata(metadata), shard(part))
    before = contents(*DONE)
    line = one_line(capsys, "train", "tiny")
    assert line.startswith("params.yaml: ")
    assert "model.units" in line
    assert contents(*DONE) == before
