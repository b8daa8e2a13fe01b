"""No stage takes more memory on the sample than docs/scale.md says."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.layout import STAGES
from tests.imports import ROOT

ROW = re.compile(r"^\| ([a-z_, ]+) \|.* (\d+) \|$", re.MULTILINE)


def ceilings() -> dict[str, int]:
    """Gigabytes by stage, as the page's table states them."""
    page = (ROOT / "docs/scale.md").read_text("utf-8")
    table = page.partition("## Ceilings")[2].partition("\n## ")[0]
    return {
        stage: int(limit) for stages, limit in ROW.findall(table) for stage in stages.split(", ")
    }


def test_every_stage_has_a_ceiling() -> None:
    assert ceilings().keys() == set(STAGES) - {"fingerprints"}


@pytest.mark.slow
def test_stages_stay_below_their_ceilings(tmp_path: Path) -> None:
    """A minute or two; RLIMIT_DATA ends a stage that wants more."""
    (tmp_path / "data/raw").mkdir(parents=True)
    shutil.copytree(ROOT / "data/raw/sample", tmp_path / "data/raw/sample")
    for name in ("params.yaml", "reports/published.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline")
    limits = ceilings()
    for stage in STAGES[1:]:
        size = limits[stage] * 10**9

        def limit(size: int = size) -> None:
            resource.setrlimit(resource.RLIMIT_DATA, (size, size))

        command = [sys.executable, "-m", f"pipeline.{stage}", "sample"]
        done = subprocess.run(
            command, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{stage}: {done.stderr[-2000:]}"
