"""The rules between keys, the list of data sets, files that are no YAML, and `mmoe params check`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mmoe.cli import main
from mmoe.config.check import check_params, check_places, dataset_names
from mmoe.config.load import ParamsFile
from mmoe.errors import ConfigError, DataError

from tests.config.sheets import ABSENT, PARAMS, complaint, edited, sheet


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"moe.top_k": 5, "moe.num_experts": 4},
            "moe.top_k = 5: must lie in [1, moe.num_experts = 4]",
        ),
        (
            {"train.mined_negatives": 5, "train.mining_depth": 4},
            "train.mined_negatives = 5: must be at most train.mining_depth = 4, "
            "from which they are drawn",
        ),
        (
            {"encode.description_budget": 10, "encode.max_text_length": 19},
            "encode.description_budget = 10: must be at most half of encode.max_text_length = 19",
        ),
        (
            {"model.units": ["text", "text"]},
            "model.units = ['text', 'text']: each unit may stand only once",
        ),
        (
            {"loss.terms": ["text", "text"]},
            "loss.terms = ['text', 'text']: each term may stand only once",
        ),
        (
            {"evaluate.hits_at": [1, 1]},
            "evaluate.hits_at = [1, 1]: each n may stand only once, and 1, which the report shows, "
            "must be among them",
        ),
        (
            {"evaluate.hits_at": [3]},
            "evaluate.hits_at = [3]: each n may stand only once, and 1, which the report shows, "
            "must be among them",
        ),
        (
            {"model.units": ["text"], "loss.terms": ["vision"]},
            "loss.terms = ['vision']: none of them is overall or one of model.units = ['text'], "
            "so nothing would be trained",
        ),
        (
            {"model.name": "mmoe_released"},
            "encode.keep_padding: must be true: model.name = mmoe_released computes with padding",
        ),
        (
            {"model.name": "mimic", "encode.keep_padding": True},
            "encode.keep_padding: must be false: model.name = mimic must not see padding",
        ),
    ],
)
def test_a_rule_between_keys(changes: dict[str, Any], said: str) -> None:
    assert complaint(sheet(changes)) == said


@pytest.mark.parametrize(
    "changes",
    [
        {"moe.top_k": 4, "moe.num_experts": 4},
        {"train.mined_negatives": 4, "train.mining_depth": 4},
        {"train.mined_negatives": 0, "train.mining_depth": 0},
        {"encode.description_budget": 9, "encode.max_text_length": 19},
        {"model.units": ["text"], "loss.terms": ["vision", "text"]},
        {"model.units": ["text"], "loss.terms": ["overall"]},
        {"loss.terms": ["of_its_own"]},  # a matcher's own
        {"evaluate.hits_at": [10, 1]},
    ],
)
def test_the_border_of_a_rule_is_legal(changes: dict[str, Any]) -> None:
    check_params(sheet(changes))


@pytest.mark.parametrize(
    ("datasets", "said"),
    [
        ([], "datasets = []: must list at least one folder of data/raw"),
        (None, "datasets = None: must list at least one folder of data/raw"),
        (ABSENT, "datasets = None: must list at least one folder of data/raw"),
        ("sample", "datasets = 'sample': must list at least one folder of data/raw"),
        (["a", "a"], "datasets: 'a' stands twice"),
        (["../a"], "datasets: '../a' is not the name of a folder (letters, digits, . _ -)"),
        (["a/b"], "datasets: 'a/b' is not the name of a folder (letters, digits, . _ -)"),
        ([".a"], "datasets: '.a' is not the name of a folder (letters, digits, . _ -)"),
        (["a\n"], r"datasets: 'a\n' is not the name of a folder (letters, digits, . _ -)"),
        ([7], "datasets: 7 is not the name of a folder (letters, digits, . _ -)"),
    ],
)
def test_what_datasets_may_not_be(datasets: Any, said: str) -> None:
    assert complaint(sheet({"datasets": datasets})) == said


def test_lists_as_datasets_are_told_as_the_others() -> None:
    assert "['a'] is not the name" in complaint(sheet({"datasets": [["a"], ["a"]]}))


def test_the_names_of_the_datasets() -> None:
    names = ["WikiMEL", "richpedia-mel.v2", "0_a"]
    params = sheet({"datasets": names})
    check_params(params)
    assert dataset_names(params) == names


def test_all_problems_are_told_at_once_and_each_line_names_the_file() -> None:
    changes = {
        "datasets": [],
        "nonsense": {},
        "moe.top_k": "3",
        "moe.expansion": 0,
        "train.seed": -1,
    }
    params = sheet(changes)
    with pytest.raises(ConfigError) as caught:
        check_params(params)
    starts = ["datasets", "unknown section", "moe.top_k", "moe.expansion", "train.seed"]
    for line, start in zip(str(caught.value).splitlines(), starts, strict=True):
        assert line.startswith(f"{params.path}: {start}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "must be a mapping of sections, found NoneType"),
        ("# only a comment\n", "must be a mapping of sections, found NoneType"),
        ("- a\n", "must be a mapping of sections, found list"),
        ("a\n", "must be a mapping of sections, found str"),
        ("a: [\nb: 1\n", "not valid YAML at line 3: expected ',' or ']', but got"),
        ("a: 1\na: 2\n", "not valid YAML at line 2: found duplicate key"),
        ("a: !!python/name:os.system\n", "not valid YAML at line 1: could not determine"),
        ("a: \0\n", "not valid YAML: unacceptable character"),
        ("a: 2024-13-01\n", "not valid YAML: month must be in 1..12"),
        ("a: " + "[" * 2000 + "\n", "not valid YAML: brackets within brackets"),
    ],
)
def test_a_file_that_is_no_sheet_of_sections(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        ParamsFile(path)
    assert str(caught.value).startswith(f"{path}: {said}")


def test_a_missing_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml: no such file; run from the project's"):
        ParamsFile(tmp_path / "params.yaml")


def test_a_file_that_is_not_utf_8_names_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes("# Größe\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"params\.yaml: not UTF-8 at line 1, byte 5"):
        ParamsFile(path)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    text = PARAMS.read_text(encoding="utf-8")
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    check_params(ParamsFile(path))


def test_make_check_is_content_with_a_good_file_and_fails_with_one_line_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(PARAMS, tmp_path)
    (tmp_path / "data/raw/sample/clip").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert main(["params", "check"]) == 0
    assert capsys.readouterr() == ("params.yaml: ok\n", "")
    edited(tmp_path, "moe:\n  num_experts: 4", "moe:\n  num_experts: 2")
    assert main(["params", "check", "params.yaml"]) == 1
    wanted = "error: params.yaml: moe.top_k = 3: must lie in [1, moe.num_experts = 2]\n"
    assert capsys.readouterr() == ("", wanted)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"datasets": ["sampel"]},
            "datasets: no folder data/raw/sampel; put the data set there; there is data/raw/sample",
        ),
        (
            {"encode.model": "data/raw/sample/clop"},
            "encode.model = 'data/raw/sample/clop': no such folder; there is data/raw/sample/clip",
        ),
        (
            {"rank.encoder": "./nowhere"},
            "rank.encoder = './nowhere': no such folder; there is data",
        ),
        ({"encode.model": "openai/clip-vit-base-patch32"}, None),
        ({"encode.model": "package:nowhere/model"}, None),
    ],
)
def test_what_params_yaml_names_on_this_disk_is_looked_for(
    changes: dict[str, Any], said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data/raw/sample/clip").mkdir(parents=True)
    params = sheet(changes)
    monkeypatch.chdir(tmp_path)
    if said is None:
        check_places(params)
    else:
        with pytest.raises(ConfigError) as caught:
            check_places(params)
        assert str(caught.value) == f"{params.path}: {said}"
