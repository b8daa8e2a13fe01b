"""The stage encode: every part of a data set, in a project of its own; mistakes end in one line."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from mmoe.features.store import check_feature_config, read_features
from mmoe.files import read_sealed_json, write_sealed_json
from mmoe.records import ImageInput, TextInput, write_records

from pipeline.encode import encode
from pipeline.layout import PARTS
from pipeline.stage import run_stage

ROOT = Path(__file__).parents[2]
TEXTS = [TextInput(f"t{i}", "jaguar", "the jaguar runs " * i, None) for i in range(5)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one data set, params.yaml as it stands and the sample's CLIP."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    raw, inputs = tmp_path / "data/raw/own", tmp_path / "data/interim/own/inputs"
    raw.mkdir(parents=True)
    (tmp_path / "data/raw/sample").symlink_to(ROOT / "data/raw/sample")
    Image.new("RGB", (9, 9), (200, 0, 0)).save(raw / "good.png")
    (raw / "bad.png").write_text("not an image")
    images = [
        ImageInput("t0", "good.png", "0" * 64),
        ImageInput("t1", None, None),
        ImageInput("t2", "bad.png", "1" * 64),
    ]
    for part in PARTS:
        if part.endswith("image"):
            write_records(inputs / f"{part}.parquet", ImageInput, images)
        else:
            write_records(inputs / f"{part}.parquet", TextInput, TEXTS)
    write_sealed_json(tmp_path / "data/tuned/own/tune.json", {"method": "none"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(sys, "argv", ["encode", "own", part])
    run_stage(encode, "", parts=True)


def test_every_part_becomes_a_store_of_these_params(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in PARTS:
        run(monkeypatch, part)
        table = read_features(project / "data/features/own" / part)
        check_feature_config(
            table, project, {"encoder": "data/raw/sample/clip", "precision": "float32"}
        )
        if part.endswith("image"):
            assert table.present.tolist() == [True, False, False]
        else:
            assert table.present.all()
            assert table.metadata["around_name"] is (part != "entity_text")
            assert bool(table.token_width) is (part != "mention_context")
    shown = capsys.readouterr().out
    assert "mention_text: 5 rows, 0 of them kept from an earlier run" in shown
    assert "entity_image: 1 unreadable images are masked" in shown
    assert "data/raw/own/bad.png: no known image format" in shown
    said = [{"image": "bad.png", "reason": "no known image format", "ids": ["t2"]}]
    listed = project / "reports/own/images.json"
    assert read_sealed_json(listed) == {"mention_image": said, "entity_image": said}
    run(monkeypatch, "mention_image")
    assert read_sealed_json(listed) == {"mention_image": said, "entity_image": said}
    left = {path.name for path in (project / ".mmoe/encode/own").iterdir()}
    assert left == {*PARTS}


@pytest.mark.parametrize(
    ("part", "before", "after", "line"),
    [
        ("images", "", "", "images: no such part; choose one of mention_text, "),
        ("mention_text", "", "", "data/interim/own/inputs/mention_text.parquet: no such file; "),
        ("entity_text", "sample/clip", "sample", "encode.model = data/raw/sample: can't"),
        ("entity_text", "length: 50", "length: 78", "encode.max_text_length = 78: "),
        ("entity_text", "device: auto", "device: cuda:99", "runtime.device = cuda:99: "),
    ],
)
def test_a_mistake_is_one_line(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    part: str,
    before: str,
    after: str,
    line: str,
) -> None:
    (project / "data/interim/own/inputs/mention_text.parquet").unlink()
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.replace(before, after) if before else params)
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, part)
    assert stop.value.code == 1
    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: {line}")
