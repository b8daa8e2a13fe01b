"""`mmoe plan`: what it computes is what the stages then write, and it says when that does not fit."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from mmoe.cli import main
from mmoe.cli.plan import duration, size
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.config.train import TrainParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import load_encoder
from mmoe.features.shards import PartColumns, open_shard, shard_metadata
from mmoe.files import bytes_under
from mmoe.linking.data import LinkingData
from mmoe.linking.whole_kb import build_index
from mmoe.model.registry import build_matcher, spec_from_params
from mmoe.planning import bench, disk, encoding
from mmoe.planning import plan as planning
from mmoe.planning.bench import Bench
from mmoe.planning.disk import bytes_needed, feature_copies
from mmoe.planning.encoding import plan_encoding
from mmoe.planning.matching import schedule
from mmoe.planning.steps import DONE, Places, Step
from mmoe.records import Entity, Mention, TextInput, read_records, write_records
from mmoe.training.held_out import split_mentions

from pipeline.layout import PARTS, Layout
from tests.pipeline.project import run, started
from tests.pipeline.tiny import write_params
from tests.stores import CPU, Toy, open_toy

AT = Layout("tiny")
Usage = namedtuple("Usage", "total used free")
PADDED = {"name": "m3el"}, {"m3el": {"variant": "released"}}


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which stage ingest has run on the tiny data set, and mentions have texts."""
    root = tmp_path_factory.mktemp("ingested") / "project"
    with started(root):
        run("ingest", "tiny")
        mentions = read_records(AT.mentions, Mention)
        texts = [
            TextInput(m.mention_id, m.surface_form, m.context, "a town by the river" * (i % 2))
            for i, m in enumerate(mentions)
        ]
        write_records(AT.inputs("mention_text"), TextInput, texts)
        run("tune", "tiny")
    return root


@pytest.fixture
def project(ingested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the test stands."""
    shutil.copytree(ingested, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture(scope="module")
def encoder(ingested: Path) -> Encoder:
    """The sample's CLIP, by the name that params.yaml has for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ingested)
        return load_encoder("data/raw/sample/clip", "cpu")


@pytest.fixture
def one_encoder(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Loaded once for all tests; and less is timed than for a user."""
    monkeypatch.setattr(planning, "encoder_of", lambda _: encoder)
    for module, name, value in (
        (encoding, "TIMED_TEXTS", 8),
        (encoding, "TIMED_IMAGES", 2),
        (bench, "TIMED_MENTIONS", 4),
        (bench, "TIMED_ENTITIES", 8),
    ):
        monkeypatch.setattr(module, name, value)
    if "float16" not in request.node.name:  # training is timed once
        monkeypatch.setattr(Bench, "step_seconds", lambda *_: 1.0)


@pytest.fixture
def planned(
    project: Path, one_encoder: None, capsys: pytest.CaptureFixture[str]
) -> Callable[[int], dict[str, Any]]:
    """What `mmoe plan --json` says; with the exit code that is wanted."""

    def of(code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["plan", "--json"]) == code
        content: dict[str, Any] = json.loads(capsys.readouterr().out)
        return content

    return of


def parts_of(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps of stage encode by part."""
    return {step["part"]: step for step in plan["datasets"]["tiny"] if step["stage"] == "encode"}


def written(part: str) -> tuple[int, int]:
    """Rows of a part, and bytes of the values in its feature columns."""
    [shard] = (AT.features / part).glob("*.parquet")
    table = open_shard(shard).read()
    columns = PartColumns(**shard_metadata(open_shard(shard))["columns"])
    lengths = [pc.sum(pc.binary_length(table[name])).as_py() or 0 for name in columns.widths]
    return len(table), sum(lengths)


def encoding_of(encoder: Encoder) -> Any:
    file = ParamsFile()
    params, runtime = file.section(EncodeParams), file.section(RuntimeParams)
    return plan_encoding(Places("tiny"), params, runtime, encoder, described=True)


def test_places_are_those_of_the_pipeline() -> None:
    places, ranks = Places("tiny"), AT.ranks
    for name in (
        "raw",
        "images",
        "mentions",
        "entities",
        "candidates",
        "leaks",
        "features",
        "model",
    ):
        assert getattr(places, name) == getattr(AT, name)
    assert [places.inputs(part) for part in PARTS] == [AT.inputs(part) for part in PARTS]
    assert places.index == AT.work("index")
    assert (places.ranks, places.baselines) == (
        ranks / "ranks.parquet",
        ranks / "baselines.parquet",
    )
    assert places.reranked == ranks / "reranked.parquet"
    assert places.description_ablation == ranks / "description_ablation.parquet"
    assert places.page == AT.report / "report.html"


@pytest.mark.parametrize(
    ("encode", "model", "own"),
    [
        ({}, {"name": "mmoe"}, {}),
        ({"dtype": "int8"}, {"name": "mimic"}, {}),
        ({"keep_padding": True}, *PADDED),
    ],
    ids=["float16", "int8", "padded"],
)
def test_it_says_what_stage_encode_and_the_index_take(
    project: Path,
    planned: Callable[[int], dict[str, Any]],
    encoder: Encoder,
    encode: dict[str, Any],
    model: dict[str, Any],
    own: dict[str, Any],
) -> None:
    write_params(Path("params.yaml"), encode=encode, model=model, **own)
    file = ParamsFile()
    said = planned(0)
    assert [*parts_of(said)] == [*PARTS]
    assert {step["state"] for step in parts_of(said).values()} == {"to do"}
    assert all(step["seconds"] > 0 for step in parts_of(said).values())
    run("encode", "tiny")
    for part, step in parts_of(said).items():
        assert (step["rows"], step["kept_bytes"]) == written(part), part
    assert all(s["seconds"] > 0 for s in said["datasets"]["tiny"] if s["rows"])
    [index] = [s for s in said["datasets"]["tiny"] if s["stage"] == "rerank, evaluate"]
    wanted = file.section(EncodeParams).feature_config
    records = read_records(AT.mentions, Mention), read_records(AT.entities, Entity)
    data = LinkingData.open(*records, AT.features, wanted)
    matcher = build_matcher(spec_from_params(file, data.widths), seed=0).eval()
    build_index(matcher, data.entity_side, CPU, folder=Path("index"))
    real = sum(path.stat().st_size for path in Path("index").glob("*.bin"))
    assert index["kept_bytes"] == pytest.approx(real, abs=32)  # of single numbers
    # What is there is counted and not sampled, and says the same.
    assert Bench(matcher, encoding_of(encoder), CPU).index_bytes(len(records[1])) == pytest.approx(
        real, abs=32
    )


def test_encoded_parts_are_done_until_a_setting_or_a_text_changes(
    project: Path, one_encoder: None, encoder: Encoder
) -> None:
    def done() -> list[str]:
        return [step.part for step in encoding_of(encoder).steps if step.state == DONE]

    before = encoding_of(encoder).steps
    run("encode", "tiny", "entity_text")
    run("encode", "tiny", "entity_image")
    after = encoding_of(encoder).steps
    assert [step.part for step in after if step.state == DONE] == ["entity_text", "entity_image"]
    assert after[3].kept_bytes == bytes_under(AT.features / "entity_text")
    saved = sum(step.kept_bytes for step in before[3:])
    assert bytes_needed([before], copies=1) - bytes_needed([after], copies=1) == saved > 0
    write_params(Path("params.yaml"), encode={"max_text_length": 40})
    assert done() == ["entity_image"]
    write_params(Path("params.yaml"), encode={"dtype": "int8"})
    assert done() == []
    write_params(Path("params.yaml"))
    first, *others = read_records(AT.inputs("entity_text"), TextInput)
    write_records(AT.inputs("entity_text"), TextInput, [replace(first, body="new"), *others])
    assert done() == ["entity_image"]


def test_descriptions_that_are_still_to_come_count_as_their_budget(
    project: Path, one_encoder: None, encoder: Encoder
) -> None:
    AT.inputs("mention_text").unlink()
    step = encoding_of(encoder).steps[0]
    bare = [
        TextInput(m.mention_id, m.surface_form, m.context, None)
        for m in read_records(AT.mentions, Mention)
    ]
    write_records(AT.inputs("mention_text"), TextInput, bare)
    without, params = encoding_of(encoder).steps[0], ParamsFile().section(EncodeParams)
    width, budget = encoder.text_widths[0], params.description_budget
    assert step.note.startswith(f"each description counted as {budget} tokens")
    assert not without.note
    assert 0 < step.kept_bytes - without.kept_bytes <= len(bare) * budget * 2 * width


def test_what_does_not_fit_is_said_with_remedies(
    project: Path,
    one_encoder: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = [
        Step("rank", state=DONE, seconds=0.0),
        Step("encode", "entity_text", 1234, 1_200_000, seconds=70.0, features=True, note="a guess"),
        Step("baselines"),
        Step("train", "steps", 30, 500_000, 2_000_000, 60.0),
    ]
    monkeypatch.setattr(planning, "plan_dataset", lambda *_: steps)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9_000_000, 0, 3_700_000))
    assert main(["plan", "tiny"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "tiny",
        "Stage      Part          Rows                        Disk           Time",
        "rank                                                                done",
        "encode     entity_text  1,234                      1.2 MB           70 s",
        "baselines                                                  not estimated",
        "train      steps           30  0.5 MB + 2.0 MB for a time           60 s",
        "encode, entity_text: a guess",
        "",
        "time: 2 min, and what is not estimated",
        "disk: 3.7 MB more at most, 3.7 MB free",
        "it fits",
    ]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9_000_000, 0, 3_699_999))
    assert main(["plan", "tiny"]) == 1
    verdict = capsys.readouterr().out.splitlines()[-1]
    assert verdict.startswith("it does not fit: ")
    assert "encode.dtype: int8" in verdict
    assert "data.max_mentions" in verdict
    assert main(["plan", "tiny", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["fits"] is False


def test_before_ingest_it_names_the_command(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    AT.mentions.unlink()
    assert main(["plan"]) == 1
    said = capsys.readouterr().err
    assert said == f"error: {AT.mentions}: no such file; run `dvc repro ingest@tiny` first\n"


@pytest.mark.parametrize(
    ("types", "shares", "copies"),
    [
        (("reflink", "copy"), False, 3),
        (("reflink", "copy"), True, 1),
        (("hardlink",), False, 1),
        (("symlink",), False, 2),
        (("reflink", "hardlink", "copy"), False, 2),
    ],
)
def test_copies_of_features_are_those_that_dvc_makes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    types: tuple[str, ...],
    shares: bool,
    copies: int,
) -> None:
    """As found by `dvc repro` of a stage that links its output, on ext4 but for shared blocks."""
    monkeypatch.setattr(disk, "_cache_types", lambda _: types)
    monkeypatch.setattr(disk, "shares_blocks", lambda _: shares)
    assert feature_copies(tmp_path) == 1
    (tmp_path / ".dvc").mkdir()
    assert feature_copies(tmp_path) == copies


def test_needed_is_the_most_at_any_time() -> None:
    one = [
        Step("encode", "done", kept_bytes=1_000_000, features=True, state=DONE),
        Step("encode", "a part", kept_bytes=100, features=True),
        Step("train", "steps", kept_bytes=7, passing_bytes=40),
        Step("train", "index", passing_bytes=60),
        Step("evaluate", "index", kept_bytes=30, passing_bytes=5),
    ]
    assert bytes_needed([one], copies=3) == 300 + 7 + 40 + 60
    other = [Step("train", kept_bytes=1, passing_bytes=500)]
    assert bytes_needed([one, other], copies=1) == (100 + 7 + 30) + (1 + 500)


@pytest.mark.parametrize("changes", [{}, {"fraction": 0.5, "held_out": 0.25}, {"max_epochs": 0}])
def test_the_schedule_is_that_of_training(tmp_path: Path, changes: dict[str, Any]) -> None:
    data = open_toy(tmp_path, Toy())
    params = TrainParams(batch_size=4, max_epochs=3, min_steps=20).model_copy(update=changes)
    steps = -(-len(split_mentions(data, params)[0]) // 4)
    epochs = max(3, -(-20 // steps)) if params.max_epochs else 0
    assert schedule(data.mentions, params) == (steps, epochs)


def test_sizes_and_durations_are_for_people() -> None:
    assert [size(n) for n in (150_000, 999_000_000, 12_340_000_000)] == [
        "0.1 MB",
        "999.0 MB",
        "12.3 GB",
    ]
    assert [duration(s) for s in (3.2, 200, 7_500)] == ["3 s", "3 min", "2 h 05 min"]
