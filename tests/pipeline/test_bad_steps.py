"""Files between the stages that are broken or belong to other parameters: one line, nothing lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mmoe.files import read_sealed_json, write_sealed_json

from pipeline.layout import PARTS, Layout
from tests.pipeline.project import DONE, arguments_of, contents, one_line, run
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
    "rerank": at.candidates,
    "evaluate": at.mentions,
    "description_ablation": at.candidates,
    "metrics": at.leaks,
    "report": at.descriptions,
}


def cut(path: Path) -> None:
    """Leaves the file's first half, as a full disk or a killed copy does."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("stage", READ_FIRST)
def test_a_truncated_and_a_missing_table_are_named_with_the_remedy(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = READ_FIRST[stage]
    cut(path)
    before = contents(*DONE)
    line = one_line(capsys, stage, *arguments_of(stage))
    assert line.startswith(f"{path}: not a whole Parquet file (")
    assert line.endswith("; delete it and run dvc repro")
    assert contents(*DONE) == before
    path.unlink()
    line = one_line(capsys, stage, *arguments_of(stage))
    assert line == f"{path}: no such file; run the stage that writes it (dvc repro)"


def shard(part: str) -> Path:
    return at.features / part / "shard-00000.parquet"


FEATURE_READERS = ("baselines", "train", "rerank", "evaluate", "description_ablation")


@pytest.mark.parametrize(("stage", "part"), list(zip(FEATURE_READERS, PARTS, strict=True)))
def test_a_truncated_shard_is_named(
    stage: str, part: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut(shard(part))
    line = one_line(capsys, stage, "tiny")
    assert line.startswith(f"{shard(part)}: ")
    assert "dvc repro" in line


def test_features_that_were_never_made(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(at.features / "entity_text")
    line = one_line(capsys, "train", "tiny")
    assert line == f"{at.features}/entity_text: holds no feature shards; run dvc repro to encode"


MADE_OF_RECORDS = ("rank", "baselines", "rerank", "evaluate", "description_ablation", "metrics")


@pytest.mark.parametrize("stage", [*MADE_OF_RECORDS, "report"])
def test_a_stage_by_hand_after_another_ingest_mixes_nothing(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(PARAMS, data={"max_mentions": 3})
    run("ingest", "tiny")
    capsys.readouterr()
    line = one_line(capsys, stage, "tiny")
    assert ": made of another mentions.parquet than" in line or ": made of other rows than" in line
    assert line.endswith(" again (dvc repro)")


@pytest.mark.parametrize("stage", ["baselines", "train", "rerank", "evaluate"])
def test_features_of_other_descriptions_are_refused(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(PARAMS, rank={"backend": "none"})
    run("rank", "tiny")
    capsys.readouterr()
    assert one_line(capsys, stage, "tiny") == (
        f"{at.features}/mention_text: made of other rows than {at.inputs('mention_text')} holds now; run "
        "stage encode again (dvc repro)"
    )


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        ("evaluate", at.model / "matcher.safetensors"),
        ("train", at.features / "mention_text" / "shard-00000.parquet"),
        ("baselines", at.descriptions),
        ("metrics", at.ranks / "ranks.parquet"),
        ("bundle", at.model / "reranker.safetensors"),
        ("bundle", at.model / "reranker.json"),
        ("bundle", at.model / "reranker_terms.parquet"),
    ],
)
def test_a_flipped_byte_stops_the_stage_that_reads_it(
    stage: str, path: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 2
    path.unlink()  # another file may have the same bytes
    path.write_bytes(bytes(content))
    assert one_line(capsys, stage, "tiny").startswith((f"{path}: ", f"{path.parent}: "))


@pytest.mark.parametrize(
    ("stage", "key", "value", "found"),
    [
        ("baselines", "model", "openai/clip-vit-base-patch32", "encoder = 'data/raw/sample/clip'"),
        ("train", "max_text_length", 40, "max_text_length = 50"),
        ("evaluate", "description_budget", 0, "description_budget = 16"),
        ("train", "precision", "bfloat16", "precision = 'float32'"),
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
    part, _, rest = line.removeprefix(f"{at.features}/").partition(": ")
    assert part in ("mention_text", "entity_text")
    assert rest == f"made with {found}, params.yaml says {value!r}; run dvc repro"
    assert contents(*DONE) == before


@pytest.mark.parametrize(
    ("section", "key", "value", "old"),
    [
        ("model", "embed_dim", 32, 16),
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


def test_a_reranker_of_other_features_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = at.model / "reranker.json"
    content = read_sealed_json(path)
    name = content["weights"]["reranked"].popitem()[0]
    write_sealed_json(path, content)
    line = one_line(capsys, "bundle", "tiny")
    assert line == (
        f"the reranker was fitted on other features than there are now ({name}); run stage rerank again"
    )


@pytest.mark.parametrize("name", ["evaluation.json", "data.json"])
def test_broken_figures_are_named(
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


@pytest.mark.parametrize("stage", ["ingest", "encode", "report"])
def test_an_unknown_data_set_is_named(
    stage: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(*DONE)
    line = one_line(capsys, stage, *arguments_of(stage, "wikimel"))
    assert "wikimel" in line
    assert "no such f" in line
    assert contents(*DONE) == before
