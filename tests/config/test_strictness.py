"""Types are strict, keys are known, and a complaint names key, value and rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mmoe.config.check import all_sections, check_params
from mmoe.config.load import ParamsFile
from mmoe.config.moe import MoeParams
from mmoe.config.moved import GONE, MOVED
from mmoe.config.section import Section
from mmoe.config.train import TrainParams
from mmoe.errors import ConfigError

from tests.config.sheets import ABSENT, DEFAULTS, PARAMS, complaint, edited, sheet


@pytest.mark.parametrize(("written", "value"), [("5e-6", 5e-6), ("1", 1.0), ("5.0E-06", 5e-6)])
def test_a_float_may_be_written_in_every_way(written: str, value: float, tmp_path: Path) -> None:
    path = edited(tmp_path, "learning_rate: 2e-3", f"learning_rate: {written}")
    found = ParamsFile(path).section(TrainParams).learning_rate
    assert (found, type(found)) == (value, float)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("moe.top_k", "4", "should be a valid integer"),
        ("moe.top_k", True, "should be a valid integer"),
        ("moe.top_k", 3.0, "should be a valid integer"),
        ("moe.top_k", None, "should be a valid integer"),
        ("train.learning_rate", "5e-4", "should be a valid number"),
        ("train.learning_rate", True, "should be a valid number"),
        ("model.residual", 1, "should be a valid boolean"),
        ("model.residual", "yes", "should be a valid boolean"),
        ("encode.model", 7, "should be a valid string"),
        ("rank.server", "bm25", "should be 'openai', 'vllm', 'llama.cpp' or 'ollama'"),
        ("model.units", "text", "should be a list"),
        ("evaluate.hits_at", 5, "should be a list"),
        ("report", None, "should be a mapping of keys"),
        ("report", [1], "should be a mapping of keys"),
    ],
)
def test_a_value_of_another_type_is_refused(key: str, value: Any, rule: str) -> None:
    assert complaint(sheet({key: value})) == f"{key} = {value!r}: {rule}"


def test_yaml_1_1_words_are_texts(tmp_path: Path) -> None:
    path = edited(tmp_path, "residual: true", "residual: yes")
    assert complaint(ParamsFile(path)).startswith("model.residual = 'yes'")


@pytest.mark.parametrize("bad", ["4", True, 1.0, 0, -1])
def test_a_list_names_the_item_that_is_wrong_and_nothing_else(bad: Any) -> None:
    said = complaint(sheet({"evaluate.hits_at": [1, bad]}))
    assert said.startswith(f"evaluate.hits_at.1 = {bad!r}: should be ")
    assert "\n" not in said


def test_one_wrong_item_is_not_called_too_short_a_list() -> None:
    said = complaint(sheet({"model.units": ["audio"]}))
    assert said == "model.units.0 = 'audio': should be 'text', 'vision' or 'cross'"


@pytest.mark.parametrize("key", ["model.units", "loss.terms", "evaluate.hits_at"])
def test_an_empty_list_is_refused(key: str) -> None:
    assert "at least 1 item" in complaint(sheet({key: []}))


def test_a_typing_error_in_a_key_gets_a_suggestion(tmp_path: Path) -> None:
    path = edited(tmp_path, "  expansion:", "  expantion:")
    assert complaint(ParamsFile(path)).splitlines() == [
        "moe.expantion: unknown key; did you mean `expansion`?",
    ]


def test_a_key_like_no_other_gets_the_list() -> None:
    said = complaint(sheet({"report.zzz": 1}))
    assert said == "report.zzz: unknown key; known keys: num_examples"


@pytest.mark.parametrize("kind", all_sections())
def test_params_yaml_states_the_defaults_of_every_section(kind: type[Section]) -> None:
    assert ParamsFile(PARAMS).section(kind) == kind()
    assert DEFAULTS.get(kind.SECTION, {}).keys() == set(kind.knob_names())


def test_a_key_or_a_section_that_is_left_out_has_its_default() -> None:
    check_params(sheet({"moe.top_k": ABSENT, "report": ABSENT}))


OLD_KEYS = {old: new for old, new in MOVED.items() if not old.startswith("compare.")}


@pytest.mark.parametrize(("old", "new"), OLD_KEYS.items())
def test_an_old_key_names_the_new_one(old: str, new: str) -> None:
    section, key = new.split(".")
    assert key in {kind.SECTION: kind for kind in all_sections()}[section].knob_names()
    said = complaint(sheet({old: 1}))
    assert said == f"{old} is now {new}; move its value there"


@pytest.mark.parametrize(("old", "instead"), GONE.items())
def test_a_key_that_is_gone_names_what_stands_in_its_place(old: str, instead: str) -> None:
    assert complaint(sheet({old: "linear"})) == f"{old} is gone: {instead}"


def test_old_sections_and_backends_name_the_new_ones() -> None:
    said = complaint(sheet({"compare": {"backends": []}, "rank.backend": "perfect"}))
    assert said.splitlines() == [
        "compare.backends is now description_ablation.backends; move its value there",
        "rank.backend: perfect is now oracle_candidate",
    ]


def test_an_unknown_section_gets_the_list() -> None:
    said = complaint(sheet({"reprot": {}}))
    assert said.splitlines()[0].startswith(
        "unknown section `reprot`; known: bundle, data, datasets, "
    )


@pytest.mark.parametrize("kind", [kind for kind in all_sections() if kind.model_fields])
def test_a_section_is_frozen_and_closed(kind: type[Section]) -> None:
    section = ParamsFile(PARAMS).section(kind)
    name, value = next(iter(section.model_dump().items()))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(section, name, value)
    with pytest.raises(ValidationError, match="frozen"):
        section.other = 1  # type: ignore[attr-defined]


def test_a_section_can_be_read_where_another_is_broken() -> None:
    params = sheet({"train.seed": "x"})
    assert params.section(MoeParams).num_experts == DEFAULTS["moe"]["num_experts"]
    with pytest.raises(ConfigError):
        check_params(params)
