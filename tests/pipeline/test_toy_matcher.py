"""A matcher of one class and one section goes through the whole pipeline; nothing else knows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mmoe.config.matchers import MATCHER_SECTIONS
from mmoe.linking.checkpoint import load_matcher
from mmoe.model.registry import MATCHERS, register
from mmoe.training.trainer import Trainer

from pipeline.layout import Layout
from tests.model.toy import ToyMatcher
from tests.pipeline.project import run
from tests.pipeline.tiny import write_params

at = Layout("tiny")


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    register(ToyMatcher)
    yield
    del MATCHERS["toy"], MATCHER_SECTIONS["toy"]


class Killed(BaseException):
    """Stands in for a kill."""


def test_it_trains_resumes_ranks_and_is_reported(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_params(Path("params.yaml"), model={"name": "toy"}, toy={"start": 0.5})
    run("train", "tiny")
    undisturbed = at.model.joinpath("matcher.safetensors").read_bytes()

    step, steps = Trainer._step, 0

    def dies(self: Trainer, *arguments: object) -> object:
        nonlocal steps
        steps += 1
        if steps == 4:
            raise Killed
        return step(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", dies)
        with pytest.raises(Killed):
            run("train", "tiny")
    run("train", "tiny")
    assert at.model.joinpath("matcher.safetensors").read_bytes() == undisturbed
    assert isinstance(load_matcher(at.model), ToyMatcher)

    tables = []
    for engine in ("brute", "bounds"):
        write_params(
            Path("params.yaml"),
            model={"name": "toy"},
            toy={"start": 0.5},
            evaluate={"engine": engine},
        )
        run("evaluate", "tiny")
        tables.append(pq.read_table(at.ranks / "ranks.parquet"))
    brute, bounds = (table.drop(["gold", "top"]) for table in tables)
    assert brute.equals(bounds)
    best = [[[e["qid"] for e in top] for top in t["top"].to_pylist()] for t in tables]
    assert best[0] == best[1]
    assert list(tables[0]["gold"][0].as_py()) == ["overall", "texts", "letters"]

    for stage in ("metrics", "report"):
        run(stage, "tiny")
    metrics = json.loads((at.report / "metrics.json").read_text("utf-8"))
    assert 0 < metrics["mrr"] <= 100
    page = (at.report / "report.html").read_text("utf-8")
    assert "Letters" in page
