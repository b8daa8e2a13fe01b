"""Threads of torch wait by sleeping, so that processes beside each other do not slow each other down."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.imports import ROOT


@pytest.mark.parametrize("module", ["mmoe", "pipeline"])
@pytest.mark.parametrize(("own", "wanted"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_it_is_said_before_torch_is_loaded(module: str, own: str | None, wanted: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if own is not None:
        environment["OMP_WAIT_POLICY"] = own
    code = f"import {module}, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [wanted, "False"]
