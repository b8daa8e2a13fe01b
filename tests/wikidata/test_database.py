"""A query that is stopped, by a real signal."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Timer

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.database import database

LONG = "SELECT count(*) FROM range(100000000) AS a, range(100000000) AS b WHERE a.range = b.range + 1.5"


@pytest.fixture
def ctrl_c() -> None:
    Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_a_query_as_it_stops_python(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), database(str, tmp_path, "1GB") as tables:
        tables.execute(LONG)


def test_what_fails_is_told_with_the_reason(tmp_path: Path) -> None:
    def problem(said: str) -> str:
        return f"labels: {said}"

    with (
        pytest.raises(WikidataError, match=r"labels: .*nowhere"),
        database(problem, tmp_path, "1GB") as tables,
    ):
        tables.execute("SELECT * FROM nowhere")


def test_a_fault_of_ours_keeps_its_kind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ours"), database(str, tmp_path, "1GB"):
        raise RuntimeError("ours")
