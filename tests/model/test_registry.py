"""A matcher by its name, from its seed, and only of units that the store can feed."""

from __future__ import annotations

import pytest
import torch

from mmoe.config.matchers import MATCHER_SECTIONS
from mmoe.errors import ConfigError
from mmoe.model.matcher import MatcherSpec
from mmoe.model.registry import MATCHERS, build_matcher, chosen_loss_terms, matcher_class

from tests.model.matchers import TEXT_ONLY, WIDTHS, model_params, moe_params, random_matcher


def test_the_seed_decides_the_weights() -> None:
    first, second, third = (
        build_matcher(MatcherSpec(WIDTHS, model_params(), moe_params()), seed) for seed in (1, 1, 2)
    )
    for name, value in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], value)
    weight = "text_stem.fit.weight"
    assert not torch.equal(third.state_dict()[weight], first.state_dict()[weight])


@pytest.mark.parametrize("units", [["vision"], ["text", "cross"], ["text", "vision", "cross"]])
def test_images_that_the_store_lacks_name_the_knob(units: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml: model\.units = .* need images"):
        build_matcher(MatcherSpec(TEXT_ONLY, model_params(units=units), moe_params()), 43)


def test_text_alone_needs_no_images() -> None:
    matcher = build_matcher(MatcherSpec(TEXT_ONLY, model_params(units=["text"]), moe_params()), 43)
    assert matcher.unit_names == ("text",)


def test_both_tables_name_the_same_matchers() -> None:
    assert {name: matcher.SECTION for name, matcher in MATCHERS.items()} == MATCHER_SECTIONS
    assert all(name == matcher.NAME for name, matcher in MATCHERS.items())


def test_an_unknown_name_names_those_that_exist() -> None:
    with pytest.raises(
        ConfigError, match=r"model\.name = 'mmeo': .* did you mean mmoe\? known: mmoe"
    ):
        matcher_class("mmeo")


def test_terms_of_absent_units_are_left_out_and_odd_ones_refused() -> None:
    matcher = random_matcher(units=["text"])
    assert list(chosen_loss_terms(matcher, ("overall", "text", "vision"))) == ["overall", "text"]
    with pytest.raises(ConfigError, match=r"'tetx' is no term of model\.name = mmoe"):
        chosen_loss_terms(matcher, ("overall", "tetx"))
    with pytest.raises(ConfigError, match="nothing would be trained"):
        chosen_loss_terms(matcher, ("vision",))
