"""A stage that has all replies does not load the client."""

from __future__ import annotations

import subprocess
import sys

from tests.imports import ROOT


def test_the_client_is_loaded_only_to_ask() -> None:
    code = (
        "import sys, tempfile; from pathlib import Path; from mmoe.descriptions.llm_client import *;"
        "ask_all([], AskSettings(cache_folder=Path(tempfile.mkdtemp())));"
        "print(sorted({'openai', 'httpx2', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
