"""The Python that README and docs/linking.md show runs, on the small bundle in the place of the sample's."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mmoe.records import Entity, read_records

from tests.imports import ROOT
from tests.pictures import saved

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/linking.md"])
def test_the_python_of_a_page_runs(
    page: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "data/bundles/sample"
    shutil.copytree(built / "data/bundles/tiny", bundle)
    image = tmp_path / "data/raw/sample/mention_images/m0909.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(saved("PNG"))
    shutil.copy(image, tmp_path / "drawing.png")
    (tmp_path / "new.csv").write_text("qid,name,attributes\nQ900001,Zorblax,A racing snail.\n")
    monkeypatch.chdir(tmp_path)
    qid = read_records(bundle / "kb-0/entities.parquet", Entity)[0].qid
    blocks = BLOCK.findall((ROOT / page).read_text("utf-8"))
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block.replace("Q308", qid), page, "exec"), names)  # noqa: S102
