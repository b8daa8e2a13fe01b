"""What the audit of dependencies makes of pip-audit's answers."""

from __future__ import annotations

import json

import pytest

from tools.audit import verdict

SOUND = {"name": "numpy", "version": "2.0", "vulns": []}
WEAK = {"name": "pillow", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "mmoe", "skip_reason": "not on PyPI"}


@pytest.mark.parametrize(
    ("packages", "waived", "known", "said"),
    [
        ([SOUND, UNKNOWN], {}, False, "pip-audit: 1 of 2 packages audited"),
        ([SOUND, WEAK], {}, True, "pillow 1.0: CVE-1, mended in ['1.1']"),
        ([WEAK], {"CVE-1": "not called here"}, False, "pillow 1.0: CVE-1, waived: not called here"),
        ([UNKNOWN], {}, False, "nothing was audited"),
    ],
)
def test_a_weakness_counts_unless_it_is_waived(
    packages: list[object], waived: dict[str, str], known: bool, said: str
) -> None:
    found = verdict(json.dumps({"dependencies": packages}), waived)
    assert found[0] is known
    assert found[1].endswith(said)


@pytest.mark.parametrize("output", ["", "Traceback", "[]", "{}"])
def test_without_a_network_that_is_said(output: str) -> None:
    assert verdict(output, {}) == (
        False,
        "pip-audit: the advisory service is not reachable; nothing was audited",
    )
