"""Several processes give what one gives, byte for byte; also when one of them is killed."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.errors import MmoeError

from pipeline.layout import PARTS, Layout
from pipeline.spread import BLOCKS_EACH, blocks, spread
from tests.pipeline.project import contents, one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")
RAY: dict[str, Any] = {"engine": "ray", "workers": 2, "shard_rows": 7}


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    found = pytest.importorskip("ray", reason="pip install 'ray[data]'")
    found.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield found
    found.shutdown()


class Worker:
    """Doubles numbers; the process that gets 2 dies of it the first time."""

    def __init__(self, at: Layout, file: ParamsFile) -> None:
        pass

    def double(self, number: int) -> int:
        if number == 2 and not Path("died").exists():
            Path("died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number < 0:
            raise MmoeError(f"{number} is negative")
        return 2 * number


@given(st.integers(0, 1000), st.integers(1, 70), st.integers(1, 9))
def test_blocks_are_whole_batches_and_cover_everything(total: int, unit: int, workers: int) -> None:
    found = blocks(total, unit, RuntimeParams(workers=workers))
    assert [number for block in found for number in block] == [*range(total)]
    assert all(block.start % unit == 0 for block in found)
    assert len(found) <= BLOCKS_EACH * workers


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore")  # of Ray's own processes
def test_features_and_ranks_are_those_of_one_process(project: Path, ray: Any) -> None:
    # So few mentions go to one worker, which has both CPUs; on some processors last bits depend on that.
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run("evaluate", "tiny")
    finally:
        torch.set_num_threads(threads)
    before = contents(str(at.features), str(at.ranks))
    write_params(Path("params.yaml"), runtime={"shard_rows": 7})
    run("encode", "tiny")
    local = contents(str(at.features))
    shutil.rmtree(at.features)
    shutil.rmtree(at.work("encode"))
    write_params(Path("params.yaml"), runtime=RAY)
    run("encode", "tiny", *PARTS)
    assert contents(str(at.features)) == local
    run("evaluate", "tiny")
    ranks = at.ranks / "ranks.parquet"
    assert contents(str(at.ranks))[ranks.as_posix()] == before[ranks.as_posix()]


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore")  # of Ray's own processes
def test_a_process_that_dies_changes_nothing(project: Path, ray: Any) -> None:
    calls = [(number,) for number in range(6)]
    assert spread(Worker, "double", at, ParamsFile(), calls) == [2 * n for n in range(6)]
    assert Path("died").exists()
    with pytest.raises(MmoeError, match="-1 is negative"):
        spread(Worker, "double", at, ParamsFile(), [(3,), (-1,)])


def test_without_ray_it_says_how_to_get_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)
    write_params(Path("params.yaml"), runtime=RAY)
    assert "pip install 'ray[data]'" in one_line(capsys, "evaluate", "tiny")
