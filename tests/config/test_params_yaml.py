"""The project's own params.yaml: whole, legal, and its comments say what the code holds."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from mmoe.config.check import all_sections, check_params, dataset_names
from mmoe.config.load import ParamsFile
from mmoe.errors import ConfigError

from tests.config.sheets import DEFAULTS, PARAMS, comments, complaint, sheet

FIELDS = {f"{kind.SECTION}.{name}": kind for kind in all_sections() for name in kind.knob_names()}
BOUNDS = re.compile(r"(?P<open>[\[(])(?P<low>[\d.e^-]+), (?P<high>[\d.e^-]+)(?P<close>[\])])")


def test_the_defaults_are_legal() -> None:
    params = ParamsFile(PARAMS)
    check_params(params)
    assert dataset_names(params) == DEFAULTS["datasets"]


def test_each_key_stands_once_and_has_a_comment() -> None:
    written = comments()
    assert sorted(comment.key for comment in written) == sorted(["datasets", *FIELDS])
    assert [comment.key for comment in written if not comment.text] == []


def choices(hint: Any) -> set[str]:
    """The words that a type allows, at any depth."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*(choices(part) for part in get_args(hint))) if get_args(hint) else set()


@pytest.mark.parametrize("key", [key for key in FIELDS if key not in {"model.name", "model.units"}])
def test_the_comment_names_every_choice(key: str) -> None:
    text = dict(comments())[key]
    names = dict(zip(FIELDS[key].knob_names(), FIELDS[key].model_fields, strict=True))
    words = choices(get_type_hints(FIELDS[key])[names[key.partition(".")[2]]])
    default = DEFAULTS[key.partition(".")[0]][key.partition(".")[2]]
    shown = set(default) if isinstance(default, list) else set()
    assert {word for word in words - shown if not re.search(rf"\b{word}\b", text)} == set()


def number(text: str) -> float:
    """`2^31` or `1e-2`."""
    base, _, power = text.partition("^")
    return float(base) ** float(power) if power else float(text)


RANGED = [(key, found) for key, text in comments() if (found := BOUNDS.search(text))]


def test_most_numbers_state_their_range() -> None:
    assert len(RANGED) > 15


@pytest.mark.parametrize(("key", "bounds"), RANGED, ids=[key for key, _ in RANGED])
def test_the_range_in_the_comment_is_the_one_that_is_checked(
    key: str, bounds: re.Match[str]
) -> None:
    section, _, name = key.partition(".")
    kind = FIELDS[key]
    is_float = get_type_hints(kind)[name] is float
    step = 1e-6 if is_float else 1
    low, high = number(bounds["low"]), number(bounds["high"])
    # Partners of the rules between keys are put where they stand in nobody's way.
    easy = {"mining_depth": 1000, "mined_negatives": 0, "max_text_length": 512, "num_experts": 64}
    easy |= {"description_budget": 0, "top_k": 1}
    others = {f"{section}.{n}": v for n, v in easy.items() if n in kind.knob_names() and n != name}

    def legal(value: float) -> bool:
        value = value if is_float else int(value)
        params = sheet(others | {key: value})
        try:
            params.section(kind)
        except ConfigError as error:
            return f"{key} = " not in str(error)  # a complaint about another key is no refusal
        return True

    assert [legal(low - step), legal(low + step)] == [False, True]
    assert [legal(high - step), legal(high + step)] == [True, False]
    assert legal(low) is (bounds["open"] == "[")
    assert legal(high) is (bounds["close"] == "]")


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("data.max_mentions", 0),
        ("train.max_grad_norm", 0.0),
        ("train.max_grad_norm", float("inf")),
        ("train.learning_rate", 0.0),
        ("train.learning_rate", 1.1),
        ("train.learning_rate", float("nan")),
        ("train.weight_decay", -0.1),
        ("train.patience", 0),
        ("runtime.checkpoint_every", 0),
        ("train.batch_size", 0),
        ("runtime.shard_rows", 0),
        ("encode.description_budget", -1),
        ("encode.model", ""),
        ("runtime.device", "gpu"),
        ("runtime.device", "cuda:x"),
        ("runtime.device", "cuda:"),
        ("retrieve.match", "fuzzy"),
        ("retrieve.api_url", "www.wikidata.org"),
    ],
)
def test_a_value_outside_the_rules_is_refused_by_name(key: str, bad: Any) -> None:
    said = complaint(sheet({key: bad}))
    assert said.startswith(f"{key} = {bad!r}: should ")
    assert "\n" not in said


def test_a_language_is_a_code_and_there_is_one() -> None:
    said = complaint(sheet({"retrieve.languages": ["en", "English"]}))
    assert said.startswith("retrieve.languages.1 = 'English': should match pattern")
    said = complaint(sheet({"retrieve.languages": []}))
    assert said.startswith("retrieve.languages = []: List should have at least 1 item")


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:11"])
def test_every_form_of_a_device_is_legal(device: str) -> None:
    check_params(sheet({"runtime.device": device}))


def test_null_and_one_are_legal_numbers_of_mentions() -> None:
    for value in (None, 1):
        check_params(sheet({"data.max_mentions": value}))
