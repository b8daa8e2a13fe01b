"""`mmoe models` prints the papers' figures beside ours."""

from __future__ import annotations

import pytest

from mmoe.cli import main


def test_it_lists_every_matcher_beside_what_is_published(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["Matcher", "Parameters", "Published"]
    cells = [row.split() for row in rows]
    assert [row[-1] for row in cells[1:6]] == [row[-2] for row in cells[1:6]]
    [released] = [row for row in cells if row[:3] == ["MMoE", "as", "released"]]
    assert released[3:] == ["5,703,341", "5.703M", "5,703,341", released[6], "19.443G", "19.443G"]
