"""A small made-up run, read and rendered once for all tests that only look at it."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from mmoe.reporting.inputs import Inputs
from mmoe.reporting.page import Report, build_report

from tests.reporting.fixture import read_run, write_run


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return read_run(write_run(tmp_path_factory.mktemp("run"), dataset="richpediamel"))


@pytest.fixture(scope="session")
def built(inputs: Inputs) -> Report:
    return build_report(inputs, num_examples=12)


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are built without drawing: most of their time goes there."""
    names = ("ranks", "intervals", "loss", "learning_rate")
    monkeypatch.setattr("mmoe.reporting.charts.draw", lambda *_: dict.fromkeys(names, Markup("")))
